package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/holdfast-project/holdfast/providers"
)

// The README's table of settings stands between these two lines.
const (
	tableBegin = "<!-- settings: written by make docs, do not edit -->"
	tableEnd   = "<!-- end of settings -->"
)

// table is one section as people read it.
type table struct {
	title    string
	usedBy   string
	settings []setting
}

// tables returns all settings, those of others that Holdfast reads at the end.
func tables() ([]table, error) {
	var list []table
	common := map[string]bool{}
	for _, s := range sections() {
		settings, err := settingsOf(s.prefix, s.spec)
		if err != nil {
			return nil, err
		}
		// What all sources have is embedded in each provider's struct, but listed once.
		settings = slices.DeleteFunc(settings, func(one setting) bool { return common[one.Name] })
		if _, ok := s.spec.(*providers.Common); ok {
			for _, one := range settings {
				common[one.Name] = true
			}
		}
		list = append(list, table{s.title, s.usedBy, settings})
	}
	return append(list, table{"Temporal", "ingress, worker", temporalSettings()}), nil
}

// temporalSettings are what the Temporal SDK's own loader reads: the same names
// as in the temporal command line.
func temporalSettings() []setting {
	return []setting{
		{Name: "TEMPORAL_ADDRESS", Default: "localhost:7233", Description: "host:port of the Temporal server; with it set, `holdfast dev` starts none of its own"},
		{Name: "TEMPORAL_NAMESPACE", Default: "default", Description: "namespace"},
		{Name: "TEMPORAL_API_KEY", Description: "API key, for Temporal Cloud; switches TLS on"},
		{Name: "TEMPORAL_TLS", Description: "true: use TLS, false: do not, whatever else is set"},
		{Name: "TEMPORAL_TLS_CLIENT_CERT_PATH", Description: "file of the client certificate (or _DATA: the certificate itself)"},
		{Name: "TEMPORAL_TLS_CLIENT_KEY_PATH", Description: "file of the client key (or _DATA: the key itself)"},
		{Name: "TEMPORAL_TLS_SERVER_CA_CERT_PATH", Description: "file of the server's certificate authority (or _DATA: the certificate itself)"},
		{Name: "TEMPORAL_TLS_SERVER_NAME", Description: "name that the server's certificate must have, if not that of the address"},
		{Name: "TEMPORAL_TLS_DISABLE_HOST_VERIFICATION", Description: "true: do not check the server's name; for tests only"},
		{Name: "TEMPORAL_CLIENT_AUTHORITY", Description: "authority of gRPC requests, for a proxy in between"},
		{Name: "TEMPORAL_GRPC_META_<NAME>", Description: "a header for each request to the server"},
		{Name: "TEMPORAL_CONFIG_FILE", Description: "file with profiles that hold all of these (default: temporalio/temporal.toml in the user's configuration folder); the environment wins"},
		{Name: "TEMPORAL_PROFILE", Default: "default", Description: "profile in that file"},
	}
}

// writeTables prints the settings for a terminal.
func writeTables(w io.Writer, list []table) error {
	for i, t := range list {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s (%s)\n", strings.ReplaceAll(t.title, "`", ""), t.usedBy)
		lines := columns(w)
		for _, s := range t.settings {
			fmt.Fprintf(lines, "  %s\t%s\t%s\n", s.Name, defaultCell(s, "%s"), s.Description)
		}
		if err := lines.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// writeMarkdown prints the settings for the README.
func writeMarkdown(w io.Writer, list []table) {
	for i, t := range list {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "**%s** (%s)\n\n", t.title, t.usedBy)
		fmt.Fprintln(w, "| Setting | Default | What it does |")
		fmt.Fprintln(w, "|---|---|---|")
		for _, s := range t.settings {
			fmt.Fprintf(w, "| `%s` | %s | %s |\n", s.Name, defaultCell(s, "`%s`"), escapeCell(s.Description))
		}
	}
}

// defaultCell prints a default in a format, or that there is none.
func defaultCell(s setting, format string) string {
	switch {
	case s.Default != "":
		return fmt.Sprintf(format, s.Default)
	case s.Required:
		return "required"
	default:
		return "-"
	}
}

// escapeCell keeps a description in its cell and its stars and tags visible.
func escapeCell(s string) string {
	return strings.NewReplacer("|", `\|`, "*", `\*`, "<", `\<`).Replace(s)
}

// spliceTables returns a document with the table between its two markers, which
// stay, replaced by the one of these settings.
func spliceTables(document []byte, list []table) ([]byte, error) {
	before, rest, begun := bytes.Cut(document, []byte(tableBegin))
	_, after, ended := bytes.Cut(rest, []byte(tableEnd))
	if !begun || !ended {
		return nil, fmt.Errorf("no place for the table: the document needs the lines %q and %q", tableBegin, tableEnd)
	}
	var b bytes.Buffer
	b.Write(before)
	fmt.Fprintf(&b, "%s\n\n", tableBegin)
	writeMarkdown(&b, list)
	fmt.Fprintf(&b, "\n%s", tableEnd)
	b.Write(after)
	return b.Bytes(), nil
}

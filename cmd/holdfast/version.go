package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the Makefile, from the tag or commit.
var version string

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version, of the Temporal SDK too",
		Example: "  holdfast version",
		Args:    cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			info, _ := debug.ReadBuildInfo()
			writeVersion(cmd.OutOrStdout(), version, info)
		},
	}
}

// noVersion is what Go itself calls a build without one.
const noVersion = "(devel)"

// ownVersion is what the linker set, else what `go install` recorded.
func ownVersion(linked string, info *debug.BuildInfo) string {
	switch {
	case linked != "":
		return linked
	case info != nil && info.Main.Version != "":
		return info.Main.Version
	default:
		return noVersion
	}
}

func writeVersion(w io.Writer, linked string, info *debug.BuildInfo) {
	sdk := "unknown"
	if info != nil {
		for _, m := range info.Deps {
			if m.Path == "go.temporal.io/sdk" {
				sdk = m.Version
			}
		}
	}
	fmt.Fprintf(w, "holdfast %s, Temporal SDK %s, %s %s/%s\n", ownVersion(linked, info), sdk, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

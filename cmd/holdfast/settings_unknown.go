package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers"
)

// checkUnknown reports every variable of an environment (KEY=value, as
// os.Environ returns it) that begins with HOLDFAST_ and is no setting of any
// process. Those of a source are left to ingress.LoadSources and its providers.
func checkUnknown(environ []string) error {
	known, err := settingNames()
	if err != nil {
		return err
	}
	var problems []error
	for _, variable := range slices.Sorted(slices.Values(environ)) {
		name, _, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, settingsPrefix+"_") || strings.HasPrefix(name, ingress.SourcePrefix) ||
			slices.Contains(known, strings.TrimSuffix(name, providers.FileSuffix)) {
			continue
		}
		problems = append(problems, fmt.Errorf("%s: %s", name, whyUnknown(name, known)))
	}
	return errors.Join(problems...)
}

// settingNames lists the settings of all processes, so that one file of settings
// can serve several; those of sources are left out, having names of their own.
func settingNames() ([]string, error) {
	var names []string
	for _, s := range sections() {
		if s.prefix != settingsPrefix {
			continue
		}
		settings, err := settingsOf(s.prefix, s.spec)
		if err != nil {
			return nil, err
		}
		for _, one := range settings {
			names = append(names, one.Name)
		}
	}
	return names, nil
}

func whyUnknown(name string, known []string) string {
	rest := strings.TrimPrefix(name, settingsPrefix+"_")
	if rest == "PORT" || strings.HasPrefix(rest, "PORT_") || strings.HasPrefix(rest, "SERVICE_") {
		return "is no setting; Kubernetes sets it for a service named holdfast: set enableServiceLinks: false in the pod"
	}
	base, suffix := name, ""
	if rest, inFile := strings.CutSuffix(name, providers.FileSuffix); inFile {
		base, suffix = rest, providers.FileSuffix
	}
	if near := nearest(base, known); near != "" {
		return fmt.Sprintf("is no setting; did you mean %s?", near+suffix)
	}
	return "is no setting; `holdfast settings` lists all"
}

// nearest returns the candidate that a slip of the fingers could have turned
// into name; empty if none is that close.
func nearest(name string, candidates []string) string {
	best, fewest := "", 1+max(1, len(strings.TrimPrefix(name, settingsPrefix+"_"))/4)
	for _, candidate := range candidates {
		if d := editDistance(name, candidate); d < fewest {
			best, fewest = candidate, d
		}
	}
	return best
}

// editDistance counts the letters to insert, delete, replace or swap with their
// neighbour to make b of a.
func editDistance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

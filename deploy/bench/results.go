package main

import (
	"bufio"
	"bytes"
	"regexp"
	"strconv"
	"strings"
)

// results are what benchmarks reported: by name and unit one figure of each run.
// The names have their package before them and no number of processors behind.
type results map[string]map[string][]float64

var processors = regexp.MustCompile(`-\d+$`)

// read adds the output of go test to the results.
func (r results) read(output []byte) {
	pkg := ""
	for lines := bufio.NewScanner(bytes.NewReader(output)); lines.Scan(); {
		line := lines.Text()
		if name, found := strings.CutPrefix(line, "pkg: "); found {
			pkg = name[strings.LastIndex(name, "/holdfast/")+1:]
			continue
		}
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		if _, err := strconv.Atoi(fields[1]); err != nil {
			continue
		}
		name := strings.TrimPrefix(pkg, "holdfast/") + "." + processors.ReplaceAllString(fields[0], "")
		if r[name] == nil {
			r[name] = map[string][]float64{}
		}
		for i := 2; i+1 < len(fields); i += 2 {
			if figure, err := strconv.ParseFloat(fields[i], 64); err == nil {
				r[name][fields[i+1]] = append(r[name][fields[i+1]], figure)
			}
		}
	}
}

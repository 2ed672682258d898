// Package migration reads the numbered SQL files that make a store's schema.
package migration

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// Step is one file, such as 0001_initial.sql.
type Step struct {
	Version int
	Name    string
	SQL     string
}

// Read returns the steps in files in order. They are numbered from 1 without a gap,
// so that the number of a step is also how many there are up to it.
func Read(files fs.FS) ([]Step, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, errors.New("there are no migrations")
	}
	slices.Sort(names)
	var steps []Step
	for i, name := range names {
		number, _, _ := strings.Cut(name, "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != i+1 {
			return nil, fmt.Errorf("migration %s: its number should be %04d", name, i+1)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		steps = append(steps, Step{Version: version, Name: name, SQL: string(text)})
	}
	return steps, nil
}

// MustSub returns a folder of embedded files, which is there or the program was
// built wrong.
func MustSub(files fs.FS, dir string) fs.FS {
	sub, err := fs.Sub(files, dir)
	if err != nil {
		panic(err)
	}
	return sub
}

package main

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/kelseyhightower/envconfig"

	"github.com/holdfast-project/holdfast/providers"
)

// problemsError is every problem with the settings, so that one start tells all.
type problemsError []string

func (e problemsError) Error() string {
	if len(e) == 1 {
		return e[0]
	}
	return fmt.Sprintf("%d problems with the settings:\n  %s", len(e), strings.Join(e, "\n  "))
}

// allProblems makes one error of several, joined ones taken apart and repeated
// ones left out; nil if there is none.
func allProblems(errs ...error) error {
	var problems problemsError
	seen := map[string]bool{}
	var add func(error)
	add = func(err error) {
		// Only what is itself a list is taken apart: a wrapped one has words around
		// it that would be lost.
		switch list := err.(type) { //nolint:errorlint // see above
		case nil:
		case problemsError:
			for _, text := range list {
				add(errors.New(text))
			}
		case interface{ Unwrap() []error }:
			for _, one := range list.Unwrap() {
				add(one)
			}
		default:
			if !seen[err.Error()] {
				seen[err.Error()] = true
				problems = append(problems, err.Error())
			}
		}
	}
	for _, err := range errs {
		add(err)
	}
	if len(problems) == 0 {
		return nil
	}
	return problems
}

// load fills configuration structs, given by pointer, from the environment
// variables that begin with HOLDFAST_, or the files that they name, and asks each that has a Validate. The
// error lists every problem by environment name and never shows a value that a
// struct did not choose to show.
func load(specs ...any) error {
	var problems []error
	for _, spec := range specs {
		problems = append(problems, loadOne(spec))
	}
	return allProblems(problems...)
}

func loadOne(spec any) error {
	settings, err := settingsOf(settingsPrefix, spec)
	if err != nil {
		return err
	}
	var problems []error
	for _, s := range settings {
		value, set, err := providers.Lookup(os.LookupEnv, s.Name)
		switch {
		case err != nil:
			problems = append(problems, err)
		case set && strings.TrimSpace(value) == "":
			problems = append(problems, fmt.Errorf("%s: is set but empty; %s", s.Name, insteadOfEmpty(s)))
		case set:
			if err = s.process(value); err == nil {
				continue
			}
			problems = append(problems, err)
		}
		// With its default a bad setting causes no second, misleading problem.
		if err := s.process(s.Default); err != nil {
			problems = append(problems, fmt.Errorf("default of %w", err))
		}
	}
	if v, ok := spec.(interface{ Validate() error }); ok {
		problems = append(problems, v.Validate())
	}
	return errors.Join(problems...)
}

// process has envconfig fill this one setting with a value, wherever that comes
// from: as the default of a field whose name no environment variable has.
// envconfig.Process stops at a struct's first error, and its message quotes the
// value; one setting at a time gives all of them, in words of our own.
func (s setting) process(value string) error {
	one := reflect.New(reflect.StructOf([]reflect.StructField{{
		Name: "Value",
		Type: s.value.Type(),
		Tag:  reflect.StructTag(fmt.Sprintf(`envconfig:"=" default:%q`, value)),
	}}))
	err := envconfig.Process("", one.Interface())
	var unparsable *envconfig.ParseError
	if errors.As(err, &unparsable) {
		return fmt.Errorf("%s: must be %s", s.Name, expected(s.value.Type()))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	s.value.Set(one.Elem().Field(0))
	return nil
}

func insteadOfEmpty(s setting) string {
	if s.Default == "" {
		return "give it a value, or remove it"
	}
	return "give it a value, or remove it to get " + s.Default
}

// expected says what the value of a type looks like.
func expected(t reflect.Type) string {
	if t == reflect.TypeFor[time.Duration]() {
		return "a duration, such as 500ms, 30s or 2h"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number, not negative"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a comma-separated list, each item " + expected(t.Elem())
	default:
		return "in the form that `holdfast settings` describes"
	}
}

package providers

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/kelseyhightower/envconfig"
)

// SettingError is one setting that is wrong. Its text names the environment
// variable and what to change, never the value.
type SettingError struct {
	Name    string
	Problem string
}

func (e *SettingError) Error() string { return e.Name + ": " + e.Problem }

// settings is what a dialect's configuration struct can do.
type settings interface {
	// Validate reports every bad field by the end of its environment name.
	Validate(report func(setting, problem string))

	common() Common
	provider() Provider
}

func (c *Common) common() Common { return *c }

// newSource fills s from the environment and makes the provider, or reports
// every problem at once. A setting with two problems is reported once, one whose
// problem is empty not at all.
func newSource(prefix string, s settings) (Source, error) {
	var problems []error
	seen := map[string]bool{}
	report := func(name, problem string) {
		if !seen[name] && problem != "" {
			problems = append(problems, &SettingError{Name: name, Problem: problem})
		}
		seen[name] = true
	}
	load(prefix, s, report)
	s.Validate(func(setting, problem string) { report(prefix+"_"+setting, problem) })
	if len(problems) > 0 {
		return Source{}, errors.Join(problems...)
	}
	return Source{Provider: s.provider(), Common: s.common()}, nil
}

// load gives each field to envconfig alone, because envconfig stops at the
// first bad value and quotes it, and reports all names under the prefix that no
// field has, of which envconfig would report the first. A value that a file holds
// is given as the field's default, under a prefix that no variable has.
func load(prefix string, s settings, report func(name, problem string)) {
	var known []string
	for _, field := range fields(reflect.ValueOf(s).Elem()) {
		one := reflect.New(reflect.StructOf([]reflect.StructField{field.info}))
		name := settingName(prefix, one.Interface())
		known = append(known, name)
		given, set, err := Lookup(os.LookupEnv, name)
		if bad := (*SettingError)(nil); errors.As(err, &bad) {
			report(name, "") // that it is missing would be misleading
			report(bad.Name, bad.Problem)
			continue
		}
		from := prefix
		if _, inVariable := os.LookupEnv(name); set && !inVariable {
			field.info.Tag = reflect.StructTag(fmt.Sprintf(`split_words:"true" default:%q`, given))
			one = reflect.New(reflect.StructOf([]reflect.StructField{field.info}))
			from = "="
		}
		err = envconfig.Process(from, one.Interface())
		if bad := (*envconfig.ParseError)(nil); errors.As(err, &bad) {
			report(name, "must be "+expected(field.info.Type))
			continue
		} // the other error is a required name that is missing, of which Validate says more
		field.value.Set(one.Elem().Field(0))
		if set && field.info.Type == reflect.TypeFor[Secret]() {
			if problem := badSecret(given); problem != "" {
				report(name, problem)
			}
		}
	}
	slices.Sort(known)
	for _, name := range environment(prefix) {
		if !slices.Contains(known, strings.TrimSuffix(name, FileSuffix)) {
			report(name, "there is no such setting; there are "+strings.Join(known, ", "))
		}
	}
}

type field struct {
	info  reflect.StructField
	value reflect.Value
}

// fields lists the fields of a struct and of the structs embedded in it.
func fields(v reflect.Value) []field {
	var list []field
	for i := range v.NumField() {
		info := v.Type().Field(i)
		if info.Anonymous {
			list = append(list, fields(v.Field(i))...)
			continue
		}
		list = append(list, field{info, v.Field(i)})
	}
	return list
}

// settingName is envconfig's own name for the only field of a struct.
func settingName(prefix string, spec any) string {
	var name strings.Builder
	if err := envconfig.Usagef(prefix, spec, &name, "{{range .}}{{usage_key .}}{{end}}"); err != nil {
		panic(fmt.Sprintf("name the settings of %T: %v", spec, err)) // a struct that envconfig cannot read
	}
	return name.String()
}

// environment lists the names under a prefix that are set.
func environment(prefix string) []string {
	var names []string
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, strings.ToUpper(prefix)+"_") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func expected(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "a duration such as 24h; leave it out for the default"
	case t.Kind() == reflect.Bool:
		return "true or false; leave it out for the default"
	default:
		return "a " + t.Kind().String()
	}
}

// badSecret refuses what is easily set by mistake: nothing, and the line break
// that a shell's echo leaves behind.
func badSecret(given string) string {
	switch {
	case strings.TrimSpace(given) == "":
		return "is set but empty; set a value or leave it out"
	case strings.TrimSpace(given) != given:
		return "has spaces or a line break around it; remove them"
	default:
		return ""
	}
}

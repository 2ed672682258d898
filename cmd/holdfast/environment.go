package main

import "github.com/holdfast-project/holdfast/providers"

// environment looks a setting up by its name, as os.LookupEnv does.
type environment func(name string) (value string, ok bool)

// or returns an environment in which settings stand behind what env has, itself or
// in a file.
func (env environment) or(settings map[string]string) environment {
	return func(name string) (string, bool) {
		if value, ok := env(name); ok {
			return value, true
		}
		if _, inFile := env(name + providers.FileSuffix); inFile {
			return "", false
		}
		value, ok := settings[name]
		return value, ok
	}
}

// setting is value for a setting of ours, which may be in a file.
func (env environment) setting(name, otherwise string) (string, error) {
	value, set, err := providers.Lookup(env, name)
	if err != nil || !set || value == "" {
		return otherwise, err
	}
	return value, nil
}

// value returns the setting, or a default if it is missing or empty.
func (env environment) value(name, otherwise string) string {
	if value, ok := env(name); ok && value != "" {
		return value
	}
	return otherwise
}

package main

// environment looks a setting up by its name, as os.LookupEnv does.
type environment func(name string) (value string, ok bool)

// or returns an environment in which settings stand behind what env has.
func (env environment) or(settings map[string]string) environment {
	return func(name string) (string, bool) {
		if value, ok := env(name); ok {
			return value, true
		}
		value, ok := settings[name]
		return value, ok
	}
}

// value returns the setting, or a default if it is missing or empty.
func (env environment) value(name, otherwise string) string {
	if value, ok := env(name); ok && value != "" {
		return value
	}
	return otherwise
}

package providers

// Common are the settings that every source has, whatever its provider. Each
// provider's configuration embeds it.
type Common struct {
	Staging        bool   `desc:"not production: a failed event is settled as failed at once, without retry or hold"`
	SubjectHashKey Secret `split_words:"true" desc:"replaces the provider's ids in subject IDs by an HMAC under this key, so that they appear neither in Temporal nor in logs"`
}

// Source is a configured provider: what Dialect.New makes of the environment.
type Source struct {
	Provider Provider
	Common   Common
}

// Dialect is an entry in the list of providers.
type Dialect struct {
	// Name is how HOLDFAST_SOURCES calls it: lower-case letters and digits.
	Name string

	// New reads the settings under an environment prefix, such as
	// HOLDFAST_SOURCE_REDO, and reports every problem at once by environment
	// name, without printing a value. A name under the prefix that is no setting
	// is a problem too.
	New func(prefix string) (Source, error)

	// Settings returns a pointer to an empty configuration struct, for the table
	// of settings.
	Settings func() any

	// PersonalSubjects tells that the provider's own ids are personal data, so
	// that running without a SUBJECT_HASH_KEY deserves a warning.
	PersonalSubjects bool
}

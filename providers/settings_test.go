package providers_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/kelseyhightower/envconfig"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/providers"
)

const prefix = "HOLDFAST_SOURCE_SHOP"

// configure makes a source of the environment; such tests are not parallel.
func configure(t *testing.T, dialect string, env map[string]string) (providers.Source, error) {
	t.Helper()
	d, ok := providers.Named(dialect)
	require.True(t, ok)
	for name, value := range env {
		t.Setenv(prefix+"_"+name, value)
	}
	return d.New(prefix)
}

// names lists the settings of a dialect by envconfig's own rules.
func names(t *testing.T, d providers.Dialect) []string {
	t.Helper()
	var list strings.Builder
	require.NoError(t, envconfig.Usagef(prefix, d.Settings(), &list, "{{range .}}{{usage_key .}} {{end}}"))
	return strings.Fields(strings.ReplaceAll(list.String(), prefix+"_", ""))
}

// Environment names are wire strings: they are only ever added to.
func TestSettingNamesStay(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"redox":        "STAGING SUBJECT_HASH_KEY TOKEN PREVIOUS_TOKEN IDENTIFIER_TYPES",
		"redeam":       "STAGING SUBJECT_HASH_KEY SECURITY_KEY PREVIOUS_SECURITY_KEY SECURITY_KEYS PREVIOUS_SECURITY_KEYS SIGNATURE SIGNATURE_TEMPLATE SIGNATURE_TOLERANCE",
		"redo":         "STAGING SUBJECT_HASH_KEY SECRET PREVIOUS_SECRET",
		"socialboards": "STAGING SUBJECT_HASH_KEY VERIFY_TOKEN PREVIOUS_VERIFY_TOKEN COMMUNITY",
	}
	for _, d := range providers.Dialects() {
		require.Equal(t, want[d.Name], strings.Join(names(t, d), " "))
	}
}

func TestSettingNamesDoNotCollide(t *testing.T) {
	t.Parallel()
	for _, d := range providers.Dialects() {
		list := names(t, d)
		slices.Sort(list)
		require.Len(t, slices.Compact(slices.Clone(list)), len(list), "two fields of %s have one name", d.Name)
	}
}

func TestEveryFieldIsDescribedAndHasNoNameOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, d := range providers.Dialects() {
		config := reflect.TypeOf(d.Settings()).Elem()
		for _, field := range reflect.VisibleFields(config) {
			if field.Anonymous {
				continue
			}
			require.NotEmpty(t, field.Tag.Get("desc"), "%s.%s", config, field.Name)
			require.Empty(t, field.Tag.Get("envconfig"), "%s.%s would accept its name without the prefix", config, field.Name)
			require.NotEqual(t, "Port", field.Name, "Kubernetes injects it")
		}
	}
}

func TestRequiredSettingsAreMissedByName(t *testing.T) {
	for _, d := range providers.Dialects() {
		_, err := d.New(prefix)
		require.Error(t, err)
		config := reflect.TypeOf(d.Settings()).Elem()
		for _, field := range reflect.VisibleFields(config) {
			if field.Tag.Get("required") == "" {
				continue
			}
			var name strings.Builder
			one := reflect.New(reflect.StructOf([]reflect.StructField{field})).Interface()
			require.NoError(t, envconfig.Usagef(prefix, one, &name, "{{range .}}{{usage_key .}}{{end}}"))
			require.ErrorContains(t, err, name.String()+": is required")
		}
	}
}

func TestTheLeastSettingsAreEnough(t *testing.T) {
	for dialect, env := range map[string]map[string]string{
		"redox":        {"TOKEN": "t0ken"},
		"redeam":       {"SECURITY_KEYS": "rate:k3y"},
		"redo":         {"SECRET": "s3cret"},
		"socialboards": {"VERIFY_TOKEN": "t0ken", "COMMUNITY": "shop"},
	} {
		t.Run(dialect, func(t *testing.T) {
			source, err := configure(t, dialect, env)
			require.NoError(t, err)
			require.NotNil(t, source.Provider)
			require.Equal(t, providers.Common{}, source.Common)
		})
	}
}

func TestCommonSettingsAreRead(t *testing.T) {
	source, err := configure(t, "redo", map[string]string{"SECRET": "s3cret", "STAGING": "true", "SUBJECT_HASH_KEY": "hash-k3y"})
	require.NoError(t, err)
	require.True(t, source.Common.Staging)
	require.Equal(t, "hash-k3y", source.Common.SubjectHashKey.Reveal())
}

// The value v4lue stands for what must never be printed.
func TestBadSettingsAreAllReportedWithoutTheirValues(t *testing.T) {
	tests := map[string]struct {
		dialect string
		env     map[string]string
		want    []string
	}{
		"NothingIsRight": {
			"redeam",
			map[string]string{
				"SECURITY_KEY": "", "SECURITY_KEYS": "v4lue", "PREVIOUS_SECURITY_KEYS": "rate:v4lue1,rate:v4lue2",
				"SIGNATURE": "v4lue", "SIGNATURE_TOLERANCE": "v4lue", "STAGING": "v4lue", "SECRUITY_KEY": "v4lue", "ANOTHER": "v4lue",
			},
			[]string{
				"STAGING: must be true or false", "SECURITY_KEY: is set but empty", "SECURITY_KEYS: entry 1 must be type:key",
				"PREVIOUS_SECURITY_KEYS: entry 2 names a type that", "SIGNATURE: must be hmac-sha256 or md5",
				"SIGNATURE_TOLERANCE: must be a duration", "SECRUITY_KEY: there is no such setting", "ANOTHER: there is no such setting",
			},
		},
		"SetButEmpty": {
			"redo",
			map[string]string{"SECRET": "", "PREVIOUS_SECRET": " ", "SUBJECT_HASH_KEY": ""},
			[]string{"SECRET: is set but empty", "PREVIOUS_SECRET: is set but empty", "SUBJECT_HASH_KEY: is set but empty"},
		},
		"ALineBreakBehindASecret": {
			"redo",
			map[string]string{"SECRET": "v4lue\n"},
			[]string{"SECRET: has spaces or a line break"},
		},
		"EmptyCommunity": {
			"socialboards",
			map[string]string{"VERIFY_TOKEN": "v4lue", "COMMUNITY": ""},
			[]string{"COMMUNITY: is required"},
		},
		"EmptyIdentifierType": {
			"redox",
			map[string]string{"TOKEN": "v4lue", "IDENTIFIER_TYPES": "MR,,EHRID"},
			[]string{"IDENTIFIER_TYPES: has an empty entry"},
		},
		"EmptyDuration": {
			"redeam",
			map[string]string{"SECURITY_KEY": "v4lue", "SIGNATURE_TOLERANCE": ""},
			[]string{"SIGNATURE_TOLERANCE: must be a duration"},
		},
		"ToleranceOfNothing": {
			"redeam",
			map[string]string{"SECURITY_KEY": "v4lue", "SIGNATURE_TOLERANCE": "0s"},
			[]string{"SIGNATURE_TOLERANCE: must be from"},
		},
		"ToleranceWithoutBound": {
			"redeam",
			map[string]string{"SECURITY_KEY": "v4lue", "SIGNATURE_TOLERANCE": "99999h"},
			[]string{"SIGNATURE_TOLERANCE: must be from"},
		},
		"TemplateWithoutMD5": {
			"redeam",
			map[string]string{"SECURITY_KEY": "v4lue", "SIGNATURE_TEMPLATE": "{key}v4lue"},
			[]string{"SIGNATURE_TEMPLATE: is only used with"},
		},
		"TemplateWithoutKey": {
			"redeam",
			map[string]string{"SECURITY_KEY": "v4lue", "SIGNATURE": "md5", "SIGNATURE_TEMPLATE": "v4lue{timestamp}{token}"},
			[]string{"SIGNATURE_TEMPLATE: must have {key}"},
		},
		"KeyWithoutType": {
			"redeam",
			map[string]string{"SECURITY_KEYS": "rate:v4lue,v4 lue:x"},
			[]string{"SECURITY_KEYS: entry 2 must begin with a type"},
		},
		"TypeWithoutKey": {
			"redeam",
			map[string]string{"SECURITY_KEYS": "rate:v4lue,product:"},
			[]string{"SECURITY_KEYS: entry 2 must be type:key"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			source, err := configure(t, tt.dialect, tt.env)
			require.Nil(t, source.Provider)
			for _, want := range tt.want {
				require.ErrorContains(t, err, prefix+"_"+want)
			}
			require.Len(t, strings.Split(err.Error(), "\n"), len(tt.want), "one line for each bad setting: %v", err)
			require.NotContains(t, err.Error(), "v4")
			var one *providers.SettingError
			require.ErrorAs(t, err, &one)
			require.True(t, strings.HasPrefix(one.Name, prefix))
		})
	}
}

func TestAnUnknownNameIsOneForEnvconfigToo(t *testing.T) {
	_, err := configure(t, "redo", map[string]string{"SECRET": "s3cret", "SECRETS": "x"})
	require.ErrorContains(t, err, prefix+"_SECRETS: there is no such setting")
	require.ErrorContains(t, err, prefix+"_PREVIOUS_SECRET", "it says which there are")
	require.ErrorContains(t, envconfig.CheckDisallowed(prefix, new(providers.RedoConfig)), prefix+"_SECRETS")
}

func TestAnotherSourcesSettingsAreNoneOfOurs(t *testing.T) {
	t.Setenv(prefix+"2_TOKEN", "t0ken")
	t.Setenv("SECRET", "bare")
	_, err := configure(t, "redo", nil)
	require.EqualError(t, err, prefix+"_SECRET: is required: the bearer token given to Redo when the webhook was created")
}

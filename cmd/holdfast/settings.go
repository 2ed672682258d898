package main

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"text/template"

	"github.com/kelseyhightower/envconfig"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/inbox/relief"
	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/ingress/doorbell"
	"github.com/holdfast-project/holdfast/ingress/operator"
	"github.com/holdfast-project/holdfast/providers"
)

// settingsPrefix begins every environment name of ours.
const settingsPrefix = "HOLDFAST"

// Config are the settings that belong to no single package.
type Config struct {
	Inbox inboxURL `default:"sqlite:./data/inbox.db" desc:"where events are kept: sqlite: and a file, for one process; or postgres://user:password@host/database, which any number of processes share"`
	// PostgreSQL's own default is 100 connections for everybody.
	InboxConnections int         `split_words:"true" default:"10" desc:"connections to PostgreSQL, at most, of this process"`
	Migrate          bool        `default:"true" desc:"bring the schema of PostgreSQL up to date at the start; false: holdfast migrate does it, and a process whose schema is too old does not start"`
	TaskQueue        string      `split_words:"true" default:"holdfast" desc:"Temporal task queue of ingress and worker; the same for both"`
	Relief           relief.Mode `default:"off" desc:"whether workers drain subjects themselves, in order as always, when workflows do not start in time: off, auto (while they wait for more than 100ms) or always (workflows get only what fails); the same for ingress and worker"`
}

// minConnections are those that inbox/postgres cannot do without.
const minConnections = 4

// Validate reports every problem at once by environment name.
func (c Config) Validate() error {
	var problems []error
	if err := c.Inbox.validate(); err != nil {
		problems = append(problems, fmt.Errorf("%s_INBOX: %w", settingsPrefix, err))
	}
	if c.InboxConnections < minConnections {
		problems = append(problems, fmt.Errorf("%s_INBOX_CONNECTIONS: %d is less than %d", settingsPrefix, c.InboxConnections, minConnections))
	}
	if err := c.Relief.Validate(); err != nil {
		problems = append(problems, fmt.Errorf("%s_RELIEF: %w", settingsPrefix, err))
	}
	return errors.Join(problems...)
}

// section is a group of settings that one package reads.
type section struct {
	title  string
	usedBy string // which processes read it
	prefix string
	spec   any // pointer to an empty configuration struct
}

// sections lists every configuration struct, in the order of the table. A new
// one is one line.
func sections() []section {
	list := []section{
		{"Everywhere", "ingress, worker", settingsPrefix, &Config{}},
		{"Receiving", "ingress", settingsPrefix, &ingress.Config{}},
		{"Operating", "ingress, worker", settingsPrefix, &operator.Config{}},
		{"Delivering", "worker", settingsPrefix, &activities.Config{}},
		{"Taking on work", "worker", settingsPrefix, &activities.Tuning{}},
		{"Upgrading", "worker, deployment", settingsPrefix, &Versioning{}},
		{"Keeping order", "ingress, worker", settingsPrefix, &doorbell.Config{}},
	}
	const source = ingress.SourcePrefix + "<NAME>"
	list = append(list, section{"Each source", "ingress", source, &providers.Common{}})
	for _, d := range providers.Dialects() {
		list = append(list, section{"Each `" + d.Name + "` source", "ingress", source, d.Settings()})
	}
	return list
}

// setting is one line of the table.
type setting struct {
	Name        string
	Default     string
	Required    bool
	Description string

	// value is where the setting is stored in its struct, and tag what the field
	// is tagged with.
	value reflect.Value
	tag   reflect.StructTag
}

// settingsOf returns a struct's settings as envconfig gathers them, so that the
// table cannot say anything else than what is read.
func settingsOf(prefix string, spec any) ([]setting, error) {
	var found []setting
	// Usaget runs the template over its gathered fields, of an unexported type
	// with exported fields: a template function is the way to them.
	collect := func(info any) string {
		v := reflect.ValueOf(info)
		tag := v.FieldByName("Tags").Interface().(reflect.StructTag)
		found = append(found, setting{
			Name:        v.FieldByName("Key").String(),
			Default:     tag.Get("default"),
			Required:    tag.Get("required") == "true",
			Description: tag.Get("desc"),
			value:       v.FieldByName("Field").Interface().(reflect.Value),
			tag:         tag,
		})
		return ""
	}
	t, err := template.New("").Funcs(template.FuncMap{"collect": collect}).Parse("{{range .}}{{collect .}}{{end}}")
	if err != nil {
		return nil, err
	}
	var nowhere strings.Builder
	if err := envconfig.Usaget(prefix, spec, &nowhere, t); err != nil {
		return nil, fmt.Errorf("gather the settings of %T: %w", spec, err)
	}
	return found, nil
}

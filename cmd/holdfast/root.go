package main

import (
	"github.com/spf13/cobra"
)

// The two kinds of command, as the help lists them.
const (
	groupProcesses = "processes"
	groupTools     = "tools"
)

const defaultDataDir = "./data"

// globals are what every command is given.
type globals struct {
	env     environment
	dataDir string
}

// rootCommand is the whole command line. A new command is one line.
func rootCommand(env environment) *cobra.Command {
	g := &globals{env: env}
	root := &cobra.Command{
		Use:   "holdfast",
		Short: "Durable webhooks on Temporal: accepted at once, handled one at a time, held when in trouble",
		Long: `Holdfast receives webhooks, answers when they are durable, and handles the events
of each subject strictly one at a time, in order: retried when that can help, held
when it cannot, until time or an operator moves them on.

Settings come from the environment; ` + "`holdfast settings`" + ` lists them.`,
		Example: `  holdfast dev                                  # everything in one process
  holdfast send redo --count 5 --subject r1     # five signed webhooks
  holdfast events list --subject redo/r1        # what became of them
  holdfast subjects list --state held           # what needs a person`,
		// run prints an error once; a usage text would push it off the screen.
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.PersistentFlags().StringVar(&g.dataDir, "data-dir", defaultDataDir, "`folder` of what holdfast dev keeps")
	root.AddGroup(
		&cobra.Group{ID: groupProcesses, Title: "Processes:"},
		&cobra.Group{ID: groupTools, Title: "Tools:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add(groupProcesses, devCommand(g), allCommand(), ingressCommand(), workerCommand())
	root.AddCommand(guardCommand())
	add(groupTools,
		sendCommand(g),
		benchCommand(g),
		eventsCommand(g),
		subjectsCommand(g),
		healthCommand(g),
		migrateCommand(),
		deploymentCommand(g),
		settingsCommand(),
		versionCommand(),
	)
	return root
}

package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func settingsCommand() *cobra.Command {
	var markdown bool
	var into string
	cmd := &cobra.Command{
		Use:   "settings",
		Short: "List all settings: name, default, what it does, who reads it",
		Long: `List all settings. They are environment variables; each process reads those
that are listed as its own, and dev and all read everything. A name that begins
with HOLDFAST_ and is not in this list stops the start.

Each HOLDFAST_ setting can also be in a file, for secrets that are mounted as files:
HOLDFAST_OPERATOR_TOKEN_FILE=/run/secrets/token names the file whose content, less a
line break at its end, is HOLDFAST_OPERATOR_TOKEN. To set both is an error.`,
		Example: `  holdfast settings
  holdfast settings | grep RETRY`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := tables()
			if err != nil {
				return err
			}
			switch {
			case into != "":
				return spliceFile(into, list)
			case markdown:
				writeMarkdown(cmd.OutOrStdout(), list)
				return nil
			default:
				return writeTables(cmd.OutOrStdout(), list)
			}
		},
	}
	cmd.Flags().BoolVar(&markdown, "markdown", false, "print Markdown")
	cmd.Flags().StringVar(&into, "into", "", "write Markdown between the markers in this `file`, as make docs does")
	cmd.MarkFlagsMutuallyExclusive("markdown", "into")
	return cmd
}

// spliceFile writes the table into a file, which keeps its mode.
func spliceFile(path string, list []table) error {
	document, err := os.ReadFile(path) //nolint:gosec // the file is the user's own choice
	if err != nil {
		return fmt.Errorf("write the table of settings: %w", err)
	}
	spliced, err := spliceTables(document, list)
	if err != nil {
		return fmt.Errorf("write the table of settings into %s: %w", path, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("write the table of settings: %w", err)
	}
	if err := os.WriteFile(path, spliced, info.Mode()); err != nil {
		return fmt.Errorf("write the table of settings: %w", err)
	}
	return nil
}

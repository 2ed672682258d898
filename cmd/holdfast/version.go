package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the Makefile, from the tag or commit.
var version string

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version, of the Temporal SDK too",
		Example: "  holdfast version",
		Args:    cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			info, _ := debug.ReadBuildInfo()
			writeVersion(cmd.OutOrStdout(), version, info)
		},
	}
}

// writeVersion prints what the linker set, else what `go install` recorded.
func writeVersion(w io.Writer, linked string, info *debug.BuildInfo) {
	own, sdk := linked, "unknown"
	if info != nil {
		if own == "" {
			own = info.Main.Version
		}
		for _, m := range info.Deps {
			if m.Path == "go.temporal.io/sdk" {
				sdk = m.Version
			}
		}
	}
	if own == "" {
		own = "(devel)"
	}
	fmt.Fprintf(w, "holdfast %s, Temporal SDK %s, %s %s/%s\n", own, sdk, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

package main

import (
	"fmt"
	"io"
)

// step is a command to paste and what it does.
type step struct{ command, effect string }

// writeSteps ends a description with what can be done about it.
func writeSteps(w io.Writer, steps []step) {
	if len(steps) == 0 {
		return
	}
	fmt.Fprint(w, "\nWhat you can do:\n")
	for _, s := range steps {
		fmt.Fprintf(w, "  %s\n      %s\n", s.command, s.effect)
	}
}

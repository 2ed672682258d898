package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/holdfast-project/holdfast/bench"
)

// progressBar shows on a terminal how far a bench is, on one line that is written
// over. Where there is no terminal, it shows nothing.
type progressBar struct{ out io.Writer }

func newProgressBar(out io.Writer) *progressBar {
	if !isTerminal(out) {
		return &progressBar{}
	}
	return &progressBar{out: out}
}

// isTerminal tells whether what is written is seen at once. A device that is no
// terminal, such as /dev/null, does no harm.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	about, err := file.Stat()
	return err == nil && about.Mode()&os.ModeCharDevice != 0
}

// watcher is what a bench tells its progress to; nil if nobody would see it.
func (p *progressBar) watcher() func(bench.Progress) {
	if p.out == nil {
		return nil
	}
	return func(now bench.Progress) { fmt.Fprint(p.out, clearLine+barLine(now)) }
}

// clear takes the bar away.
func (p *progressBar) clear() {
	if p.out != nil {
		fmt.Fprint(p.out, clearLine)
	}
}

const (
	clearLine = "\r\x1b[K"
	// barWidth leaves room for the numbers on a terminal of 80 columns.
	barWidth = 24
)

func barLine(p bench.Progress) string {
	full := int(min(1, max(0, p.Fraction)) * barWidth)
	return fmt.Sprintf("[%s%s] %3.0f%%  %s accepted  %s delivered",
		strings.Repeat("#", full), strings.Repeat("-", barWidth-full), 100*p.Fraction, thousands(p.Accepted), thousands(p.Delivered))
}

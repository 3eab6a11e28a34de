package main

import (
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress is a bar on a terminal, and silent elsewhere.
type progress struct {
	bar  *progressbar.ProgressBar
	what string
	out  io.Writer
}

func newProgress(out io.Writer, what string) *progress {
	p := &progress{what: what, out: out}
	if f, ok := out.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		return p
	}
	p.bar = progressbar.NewOptions64(-1, progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())
	return p
}

// at shows that done of so many are done.
func (p *progress) at(done, of int64) {
	if p.bar == nil {
		return
	}
	p.bar.ChangeMax64(max(of, 1))
	if err := p.bar.Set64(done); err != nil { // the terminal is gone: go on without
		p.bar = nil
	}
}

func (p *progress) end() {
	if p.bar == nil {
		return
	}
	if err := p.bar.Finish(); err != nil {
		fmt.Fprintln(p.out)
	}
}

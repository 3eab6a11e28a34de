package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// benchChecks is what is measured on a book after its lines, and once, unless it says otherwise.
type benchChecks struct {
	Entries         int64   `json:"entries"`                   // when checked
	VerifyPerSecond int64   `json:"verify_entries_per_second"` // the median of as many runs as there were rounds
	VerifyRuns      []int64 `json:"verify_runs,omitempty"`
	AuditPerSecond  int64   `json:"audit_entries_per_second,omitzero"` // 0: timebank-audit is not built
	TableBytes      int64   `json:"table_bytes_per_posting"`
	IndexBytes      int64   `json:"index_bytes_per_posting"`
	WALBytes        int64   `json:"wal_bytes_per_posting,omitzero"` // of 64 clients' claims, full-page images included
	StartMillis     int64   `json:"start_ms"`                       // from nothing to the first answer, PostgreSQL included
}

func (b *benchBank) check(ctx context.Context, rounds int) (c benchChecks, err error) {
	before, err := readDisk(ctx, b.pg)
	if err != nil {
		return c, err
	}
	if _, err := b.load(ctx, loadClaims, 64, 5*time.Second); err != nil {
		return c, err
	}
	after, err := readDisk(ctx, b.pg)
	if err != nil {
		return c, err
	}
	c.TableBytes, c.IndexBytes = after.tables/max(1, after.postings), after.indexes/max(1, after.postings)
	c.WALBytes = (after.wal - before.wal) / max(1, after.postings-before.postings)
	if c.Entries, err = b.LogSize(ctx); err != nil {
		return c, err
	}
	for range rounds {
		rate, err := b.verify(ctx)
		if err != nil {
			return c, err
		}
		c.VerifyRuns = append(c.VerifyRuns, rate)
	}
	c.VerifyPerSecond = median(c.VerifyRuns)
	if c.AuditPerSecond, err = b.audit(ctx, c.Entries); err != nil {
		return c, err
	}
	if err := b.stop(ctx); err != nil {
		return c, err
	}
	begun := clock()
	err = b.start(ctx)
	c.StartMillis = since(begun).Milliseconds()
	return c, err
}

// verify times the verification of the book as its command does it: without the bounds that a server sets itself, below which
// what is kept of a million entries does not fit and is gone through without end.
func (b *benchBank) verify(ctx context.Context) (perSec int64, err error) {
	collect, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(math.MaxInt64)
	defer func() { debug.SetGCPercent(collect); debug.SetMemoryLimit(limit) }()
	begun := clock()
	v, err := b.Verify(ctx, func(int64, int64) {})
	if err != nil {
		return 0, err
	}
	if len(v.Findings) > 0 {
		return 0, fmt.Errorf("the book that was measured is wrong: entry %d: %s", v.Findings[0].Seq, v.Findings[0].What)
	}
	return perSecond(v.Entries, since(begun)), nil
}

func perSecond(n int64, took time.Duration) int64 {
	return n * int64(time.Second) / int64(max(took, 1))
}

// audit times timebank-audit on the whole log, when it lies beside this command.
func (b *benchBank) audit(ctx context.Context, entries int64) (int64, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	binary := filepath.Join(filepath.Dir(self), "timebank-audit")
	if _, err := os.Stat(binary); err != nil {
		return 0, nil //nolint:nilerr // it need not be there
	}
	if err := b.Publish(ctx); err != nil {
		return 0, err
	}
	auditor := b.clients["auditor"]
	if err := auditor.renew(ctx, clock()); err != nil {
		return 0, err
	}
	keys := filepath.Join(b.data, "log.pub")
	if err := os.WriteFile(keys, []byte(b.LogVerifier()+"\n"), 0o600); err != nil {
		return 0, err
	}
	begun := clock()
	cmd := exec.CommandContext(ctx, binary, "log", "http://"+b.host+"/v1", "--key", keys)
	cmd.Env = append(os.Environ(), tokenVariable+"="+auditor.token)
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("running timebank-audit: %w\n%s", err, out)
	}
	return perSecond(entries, since(begun)), nil
}

// residentMost gives the most memory this process, which is the server, had resident, in KiB; 0 where the
// system does not tell.
func residentMost() int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			if n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64); err == nil {
				return n
			}
		}
	}
	return 0
}

// forgetMost lets residentMost begin anew, where the system can (proc(5), clear_refs): elsewhere it goes on from before.
func forgetMost() {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // not there on other systems
}

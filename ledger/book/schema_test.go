package book_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"timebank/ledger/book/booktest"
	"timebank/ledger/localpg"
)

var update = flag.Bool("update", false, "write golden files anew")

// The sum of all migrations, as pg_dump tells it, so that a change of the schema is read in review.
func TestSchema(t *testing.T) {
	t.Parallel()
	pg, database := booktest.Server(t), booktest.Database(t)
	out, err := exec.Command(filepath.Join(pg.Bin(), "pg_dump"), "--schema-only", "--no-owner", "--no-comments",
		"postgres://"+pg.URI(localpg.Superuser, database)).Output()
	if err != nil {
		t.Fatal(err)
	}
	// What depends on the version of PostgreSQL or of pg_dump is left out.
	var kept []string
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimRight(line, " \n"); line != "" && !volatile.MatchString(line) {
			kept = append(kept, line)
		}
	}
	have := strings.Join(kept, "\n") + "\n"
	const golden = "../../migrations/schema.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(have), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), have); diff != "" {
		t.Errorf("schema -want +got (go test ./ledger/book -run TestSchema -update):\n%s", diff)
	}
}

var volatile = regexp.MustCompile(`^(--|SET |SELECT pg_catalog|\\(un)?restrict)`)

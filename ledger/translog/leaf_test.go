package translog_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"timebank/ledger"
	"timebank/ledger/translog"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares text with a file of testdata, which -update rewrites.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	path := "testdata/" + file
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is frozen, and what is written now differs (-want +got):\n%s", path, diff)
	}
}

func TestLeaf_text_and_hash_are_frozen(t *testing.T) {
	var got bytes.Buffer
	for _, n := range goldenEntries() {
		leaf := translog.Leaf(n.entry)
		fmt.Fprintf(&got, "== %s\n%s-- leaf hash %s\n\n", n.name, leaf, translog.LeafHash(leaf))
	}
	golden(t, "leaf-v1.golden", got.Bytes())
}

func TestLeaf_reads_back(t *testing.T) {
	for _, n := range goldenEntries() {
		t.Run(n.name, func(t *testing.T) {
			want := translog.Fields(n.entry)
			got, err := translog.ParseLeaf(translog.Leaf(n.entry))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("ParseLeaf(Leaf(e)) -want +got:\n%s", diff)
			}
		})
	}
}

func TestLeaf_of_the_longest_entry_is_far_below_the_bound(t *testing.T) {
	entries := goldenEntries()
	leaf := translog.Leaf(entries[len(entries)-1].entry)
	if len(leaf) > 4096 {
		t.Errorf("the longest leaf has %d bytes, want at most 4096 of the %d allowed", len(leaf), translog.LeafBytesMax)
	}
}

func TestLeaf_tells_nothing_of_the_details(t *testing.T) {
	e := hoursEntry
	e.Details = []byte("Wang Xiaoming, Lane 7")
	if leaf := translog.Leaf(e); bytes.Contains(leaf, []byte("Wang")) || bytes.Contains(leaf, []byte("Lane")) {
		t.Errorf("Leaf = %q, want no text of the details", leaf)
	}
	other := e
	other.Salt[0]++
	if bytes.Equal(translog.Leaf(e), translog.Leaf(other)) {
		t.Error("another salt gives the same leaf, so that details could be guessed")
	}
}

// Every field of an entry is changed alone; the leaf must change with it.
func TestLeaf_changes_with_every_field(t *testing.T) {
	tests := []struct {
		name   string
		change func(e *ledger.Entry)
	}{
		{"seq", func(e *ledger.Entry) { e.Seq++ }},
		{"kind", func(e *ledger.Entry) { e.Kind = ledger.KindHold }},
		{"effective", func(e *ledger.Entry) { e.Effective++ }},
		{"recorded", func(e *ledger.Entry) { e.Recorded = e.Recorded.Add(time.Microsecond) }},
		{"by", func(e *ledger.Entry) { e.By = "" }},
		{"rules", func(e *ledger.Entry) { e.Rules[31]++ }},
		{"refers", func(e *ledger.Entry) { e.Refers = refer(0) }},
		{"salt", func(e *ledger.Entry) { e.Salt[15]++ }},
		{"details", func(e *ledger.Entry) { e.Details = []byte(`{"activity":"陪同就医","minutes":91}`) }},
		{"a posting's account", func(e *ledger.Entry) { e.Postings[3].Account++ }},
		{"a posting's unit", func(e *ledger.Entry) { e.Postings[3].Unit = ledger.Youth }},
		{"a posting's minutes", func(e *ledger.Entry) { e.Postings[3].Minutes++ }},
		{"one posting less", func(e *ledger.Entry) { e.Postings = e.Postings[:3] }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := hoursEntry
			e.Postings = append([]ledger.Posting(nil), e.Postings...)
			tt.change(&e)
			if bytes.Equal(translog.Leaf(e), translog.Leaf(hoursEntry)) {
				t.Errorf("the leaf does not tell %s", tt.name)
			}
		})
	}
}

func TestParseLeaf_refuses_what_Leaf_would_not_write(t *testing.T) {
	good := string(translog.Leaf(hoursEntry))
	lines := strings.SplitAfter(good, "\n")
	tests := []struct {
		name, old, new string
	}{
		{"nothing", good, ""},
		{"another version", "leaf/v1", "leaf/v2"},
		{"carriage returns", "\n", "\r\n"},
		{"no last line break", lines[12], strings.TrimSuffix(lines[12], "\n")},
		{"an empty line at the end", lines[12], lines[12] + "\n"},
		{"a line missing", lines[6], ""},
		{"lines exchanged", lines[1] + lines[2], lines[2] + lines[1]},
		{"a line twice", lines[1], lines[1] + lines[1]},
		{"a leading zero", "seq 0", "seq 00"},
		{"a plus sign", "seq 0", "seq +0"},
		{"a negative number", "seq 0", "seq -1"},
		{"a number beyond 63 bits", "seq 0", "seq 9223372036854775808"},
		{"two spaces", "seq 0", "seq  0"},
		{"a trailing space", "seq 0", "seq 0 "},
		{"a kind in capitals", "kind hours", "kind Hours"},
		{"no kind", "kind hours", "kind "},
		{"a dash for a kind", "kind hours", "kind -"},
		{"a kind without end", "kind hours", "kind " + strings.Repeat("h", 41)},
		{"a day that is not", "effective 2026-03-05", "effective 2026-02-30"},
		{"a date out of range", "effective 2026-03-05", "effective 2200-01-01"},
		{"an instant with an offset", "26.123456Z", "26.123456+08:00"},
		{"an instant of milliseconds", "26.123456Z", "26.123Z"},
		{"an instant of nanoseconds", "26.123456Z", "26.123456789Z"},
		{"an instant with a comma", "26.123456Z", "26,123456Z"},
		{"an instant in the year 0", "2026-11-24T", "0000-11-24T"},
		{"an empty client", "by " + testClient, "by "},
		{"a client with a space", "by " + testClient, "by a b"},
		{"a client beyond ASCII", "by " + testClient, "by 王"},
		{"a client without end", "by " + testClient, "by " + strings.Repeat("a", 121)},
		{"a hash in capitals", "rules " + testRules.String(), "rules " + strings.ToUpper(testRules.String())},
		{"a hash of zeros for none", "rules " + testRules.String(), "rules " + ledger.Hash{}.String()},
		{"a short hash", "rules " + testRules.String(), "rules 00"},
		{"a reference that is no number", "refers -", "refers x"},
		{"details without a hash", "details " + hoursEntry.Commitment().String(), "details -"},
		{"an account of fifteen digits", "posting 1c0ffee0a5b4c3d2", "posting c0ffee0a5b4c3d2"},
		{"account zero", "posting 1c0ffee0a5b4c3d2", "posting 0000000000000000"},
		{"an account beyond 63 bits", "posting 1c0ffee0a5b4c3d2", "posting fc0ffee0a5b4c3d2"},
		{"an unknown unit", "service -90", "points -90"},
		{"minutes with a plus", "service 90", "service +90"},
		{"minutes with a zero in front", "service 90", "service 090"},
		{"minutes below nothing", "service 90", "service -0"},
		{"a fraction of a minute", "service 90", "service 90.5"},
		{"a posting with too much", "service 90", "service 90 90"},
		{"postings out of order", lines[9] + lines[10], lines[10] + lines[9]},
		{"postings in reverse", lines[9] + lines[10] + lines[11], lines[11] + lines[10] + lines[9]},
		{"an account touched twice", lines[10], lines[10] + lines[10]},
		{"a line that is no posting", lines[12], lines[12] + "remark hello\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bad := strings.Replace(good, tt.old, tt.new, 1)
			if bad == good {
				t.Fatalf("nothing was changed: %q is not in the leaf", tt.old)
			}
			if f, err := translog.ParseLeaf([]byte(bad)); !errors.Is(err, ledger.ErrInvalid) {
				t.Errorf("ParseLeaf(%q) = %v, %v, want ErrInvalid", bad, f, err)
			}
		})
	}
}

// A leaf is filled with postings, up to the last byte that a bundle can hold and one beyond.
func TestLeaf_holds_as_many_bytes_as_a_bundle_and_no_more(t *testing.T) {
	f := translog.Fields(hoursEntry)
	f.By, f.Postings = "a", nil
	const postingBytes = len("posting 0000000000000001 care 1\n")
	for i := range (translog.LeafBytesMax - len(f.Text())) / postingBytes {
		f.Postings = append(f.Postings, ledger.Posting{Account: ledger.AccountID(i + 1), Unit: ledger.Care, Minutes: 1})
	}
	f.By = strings.Repeat("a", 1+translog.LeafBytesMax-len(f.Text()))
	if _, err := translog.ParseLeaf(f.Text()); err != nil || len(f.Text()) != translog.LeafBytesMax {
		t.Errorf("ParseLeaf of %d bytes = %v, want nil for %d", len(f.Text()), err, translog.LeafBytesMax)
	}
	f.By += "a"
	if err := f.Check(); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("Check of fields of %d bytes = %v, want ErrInvalid", len(f.Text()), err)
	}
	if _, err := translog.ParseLeaf(f.Text()); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("ParseLeaf of %d bytes = %v, want ErrInvalid", len(f.Text()), err)
	}
}

// What cannot come through ParseLeaf can still be put into the fields by a program.
func TestCheck_refuses_fields_that_would_forge_a_line(t *testing.T) {
	tests := []struct {
		name   string
		change func(f *translog.LeafFields)
	}{
		{"a client that holds a line break", func(f *translog.LeafFields) { f.By = "a\nrules -" }},
		{"a client called nothing", func(f *translog.LeafFields) { f.By = "-" }},
		{"a kind that holds a line break", func(f *translog.LeafFields) { f.Kind = "hours\nseq" }},
		{"a negative number", func(f *translog.LeafFields) { f.Seq = -1 }},
		{"a negative reference", func(f *translog.LeafFields) { f.Refers = refer(-1) }},
		{"nanoseconds", func(f *translog.LeafFields) { f.Recorded = f.Recorded.Add(1) }},
		{"no instant's year", func(f *translog.LeafFields) { f.Recorded = f.Recorded.AddDate(9000, 0, 0) }},
		{"a date out of range", func(f *translog.LeafFields) { f.Effective = ledger.DateMax + 1 }},
		{"a unit that holds a line break", func(f *translog.LeafFields) {
			f.Postings = []ledger.Posting{{Account: 1, Unit: "care 1\nposting", Minutes: 1}}
		}},
		{"a negative account", func(f *translog.LeafFields) {
			f.Postings = []ledger.Posting{{Account: -1, Unit: ledger.Care, Minutes: 1}}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := translog.Fields(hoursEntry)
			tt.change(&f)
			if err := f.Check(); !errors.Is(err, ledger.ErrInvalid) {
				t.Errorf("Check(%v) = %v, want ErrInvalid", f, err)
			}
		})
	}
	if err := translog.Fields(hoursEntry).Check(); err != nil {
		t.Errorf("Check of a good entry = %v, want nil", err)
	}
}

func FuzzParseLeaf(f *testing.F) {
	for _, n := range goldenEntries() {
		f.Add(translog.Leaf(n.entry))
	}
	f.Add([]byte("timebank-leaf/v1\nseq 0\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		fields, err := translog.ParseLeaf(text)
		if err != nil {
			return
		}
		if got := fields.Text(); !bytes.Equal(got, text) {
			t.Errorf("ParseLeaf(%q).Text() = %q", text, got)
		}
	})
}

func ExampleLeaf() {
	fmt.Printf("%s", translog.Leaf(hoursEntry))
	// Output:
	// timebank-leaf/v1
	// seq 0
	// kind hours
	// effective 2026-03-05
	// recorded 2026-11-24T01:15:26.123456Z
	// by 01920f3e-7a01-7c3e-9d55-0a6f2b1c4d01
	// rules bf8c53a31f12a396fc85d5df21d1d60f941ac0c6f46d9715a44523918cf1a65e
	// refers -
	// details adb4d77894fff28cac99c512b4b97e15865f33cc7e8058358abbc249a876b66f
	// posting 1c0ffee0a5b4c3d2 service -90
	// posting 3a7d2f9e81c05b64 service 90
	// posting 02e61b8d4f7a9c35 care -90
	// posting 5f0e1d2c3b4a5968 care 90
}

// The instant of a leaf is written by our own code, which must do what its format says.
func TestLeaf_tells_any_instant_as_its_format_does(t *testing.T) {
	t.Parallel()
	const format = "2006-01-02T15:04:05.000000Z"
	years := []int{-1, 0, 1, 9, 99, 1582, 1969, 1970, 2026, 9999, 10000}
	rapid.Check(t, func(t *rapid.T) {
		year := rapid.OneOf(rapid.SampledFrom(years), rapid.IntRange(-10, 10010)).Draw(t, "year")
		at := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).
			Add(time.Duration(rapid.Int64Range(0, int64(366*24*time.Hour)).Draw(t, "into the year")))
		if east := rapid.IntRange(-14, 14).Draw(t, "zone"); east != 0 {
			at = at.In(time.FixedZone("", east*3600))
		}
		text := string(translog.LeafFields{Recorded: at}.Text())
		if want := "\nrecorded " + at.UTC().Format(format) + "\n"; !strings.Contains(text, want) {
			t.Fatalf("%q does not tell %q", text, want)
		}
	})
}

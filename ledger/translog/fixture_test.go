package translog_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"timebank/ledger"
)

const (
	testOrigin = "log.example.org/timebank"
	testClient = "01920f3e-7a01-7c3e-9d55-0a6f2b1c4d01"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func date(s string) ledger.Date { return must(ledger.ParseDate(s)) }

func instant(s string) time.Time { return must(time.Parse(time.RFC3339Nano, s)) }

func refer(s ledger.Seq) *ledger.Seq { return &s }

// salt gives sixteen bytes that count up from a first one.
func salt(first byte) (s [16]byte) {
	for i := range s {
		s[i] = first + byte(i)
	}
	return s
}

var (
	testRules = ledger.Hash(sha256.Sum256([]byte("a rule set")))

	// hoursEntry and correctionEntry are the two leaves of docs/leaf.md.
	hoursEntry = ledger.Entry{
		Draft: ledger.Draft{
			Kind: ledger.KindHours, Effective: date("2026-03-05"), By: testClient, Rules: testRules,
			Postings: []ledger.Posting{
				{Account: 0x1c0ffee0a5b4c3d2, Unit: ledger.Service, Minutes: -90},
				{Account: 0x3a7d2f9e81c05b64, Unit: ledger.Service, Minutes: 90},
				{Account: 0x02e61b8d4f7a9c35, Unit: ledger.Care, Minutes: -90},
				{Account: 0x5f0e1d2c3b4a5968, Unit: ledger.Care, Minutes: 90},
			},
			Details: []byte(`{"activity":"陪同就医","minutes":90}`),
		},
		Seq: 0, Recorded: instant("2026-11-24T01:15:26.123456Z"), Salt: salt(0x10),
	}
	correctionEntry = ledger.Entry{
		Draft: ledger.Draft{
			Kind: ledger.KindCorrection, Effective: date("2026-03-05"), By: testClient, Rules: testRules, Refers: refer(0),
			Postings: ledger.Reverse(hoursEntry.Postings),
			Details:  []byte(`{"reason":"entered twice"}`),
		},
		Seq: 1, Recorded: instant("2026-11-24T01:20:00Z"), Salt: salt(0x80),
	}
)

type namedEntry struct {
	name  string
	entry ledger.Entry
}

// goldenEntries are those of testdata/leaf-v1.golden. A change to one of them is a change to what is frozen:
// add, never edit.
func goldenEntries() []namedEntry {
	high := ledger.Entry{
		Draft: ledger.Draft{Kind: ledger.KindClientRevoke, Effective: ledger.DateMax, By: strings.Repeat("~", 120), Rules: testRules,
			Refers: refer(math.MaxInt64 - 1)},
		Seq: math.MaxInt64, Recorded: instant("9999-12-31T23:59:59.999999Z"), Salt: salt(0xf0),
	}
	for i := range ledger.PostingsMax {
		p := ledger.Posting{Account: math.MaxInt64 - ledger.AccountID(i), Unit: ledger.Support, Minutes: ledger.PostingMinutesMax}
		if i%2 == 1 {
			p.Minutes = -p.Minutes
		}
		high.Postings = append(high.Postings, p)
	}
	ledger.SortPostings(high.Postings)
	return []namedEntry{
		{"a fact, without postings, under no rules", ledger.Entry{
			Draft: ledger.Draft{Kind: ledger.KindVolunteer, Effective: date("2026-01-01"), By: testClient, Details: []byte(`{}`)},
			Seq:   7, Recorded: instant("2026-01-01T00:00:00Z"), Salt: salt(1),
		}},
		{"hours", hoursEntry},
		{"a correction, which refers", correctionEntry},
		{"an entry nobody asked for", ledger.Entry{
			Draft: ledger.Draft{Kind: ledger.KindHoldExpired, Effective: date("2028-02-29"), Refers: refer(12), Postings: []ledger.Posting{
				{Account: 2, Unit: ledger.Care, Minutes: 1}, {Account: 3, Unit: ledger.Care, Minutes: -1}}},
			Seq: 13, Recorded: instant("2028-02-29T23:59:59.999999Z"),
		}},
		{"every unit", ledger.Entry{
			Draft: ledger.Draft{Kind: ledger.KindHours, Effective: date("2026-06-01"), By: "city-import", Rules: testRules,
				Postings: []ledger.Posting{
					{Account: 8, Unit: ledger.Service, Minutes: 1}, {Account: 9, Unit: ledger.Service, Minutes: -1},
					{Account: 6, Unit: ledger.Care, Minutes: 2}, {Account: 7, Unit: ledger.Care, Minutes: -2},
					{Account: 4, Unit: ledger.Youth, Minutes: 3}, {Account: 5, Unit: ledger.Youth, Minutes: -3},
					{Account: 2, Unit: ledger.Support, Minutes: 4}, {Account: 3, Unit: ledger.Support, Minutes: -4},
				}},
			Seq: 14, Recorded: instant("2026-06-02T08:00:00.000001Z"), Salt: salt(0x20),
		}},
		{"the least of everything", ledger.Entry{
			Draft: ledger.Draft{Kind: ledger.KindHold, Effective: ledger.DateMin, Refers: refer(0), By: "0",
				Postings: []ledger.Posting{{Account: 1, Unit: ledger.Service, Minutes: -ledger.PostingMinutesMax},
					{Account: 2, Unit: ledger.Service, Minutes: ledger.PostingMinutesMax}}},
			Seq: 0, Recorded: instant("0001-01-01T00:00:00Z"),
		}},
		{"the most of everything", high},
	}
}

// testKeys gives a fixed key, so that signatures in documents and goldens stay the same. It protects nothing.
func testKeys(t testing.TB) (note.Signer, note.Verifier) {
	t.Helper()
	seed := sha256.Sum256([]byte("a key for tests and for docs/leaf.md"))
	key := ed25519.NewKeyFromSeed(seed[:])
	public, err := note.NewEd25519VerifierKey(testOrigin, key.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	id := strings.Split(public, "+")[1]
	signer, err := note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%s+%s", testOrigin, id,
		base64.StdEncoding.EncodeToString(append([]byte{1}, seed[:]...))))
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifier
}

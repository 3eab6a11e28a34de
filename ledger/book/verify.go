package book

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"timebank/ledger"
	"timebank/ledger/translog"
	"timebank/policy"
)

// Finding is something that is not as the entries say it must be.
type Finding struct {
	Seq  ledger.Seq // the entry it concerns; -1 when it concerns none
	What string
}

func (f Finding) String() string {
	if f.Seq < 0 {
		return f.What
	}
	return fmt.Sprintf("entry %d: %s", f.Seq, f.What)
}

// Verification is what Verify found.
type Verification struct {
	Entries     int64
	Postings    int64
	Replayed    int64 // decisions made again from their recorded facts
	Checkpoints int64
	Root        ledger.Hash
	Sums        map[ledger.Unit]ledger.Minutes
	Findings    []Finding // empty when all is well, in the order of the entries
}

const (
	// findingsMax bounds the report; the first finding is the one that matters.
	findingsMax = 100
	// verifyPage is how many entries are read at a time.
	verifyPage = 2000
)

// Verify recomputes everything from the entries as the database has them: numbering, sums, running
// balances, leaves, hashes, checkpoints, the rows beside the entries, and every decision of the rules.
// It reads one snapshot. progress, which may be nil, is told how many entries of how many are done.
func (b *Book) Verify(ctx context.Context, progress func(done, of int64)) (Verification, error) {
	outside, err := b.outside() // before the snapshot, which then has it: the book may go on meanwhile
	if err != nil {
		return Verification{}, err
	}
	tx, err := b.db.BeginTxx(ctx, readSnapshot)
	if err != nil {
		return Verification{}, fmt.Errorf("beginning to verify: %w", err)
	}
	defer tx.Rollback()
	if err := b.loadRules(ctx, tx); err != nil {
		return Verification{Findings: []Finding{{-1, err.Error()}}}, nil
	}
	v := newVerifier(b, tx)
	v.outside = outside
	if err := v.run(ctx, progress); err != nil {
		return v.report, err
	}
	return v.report, nil
}

// verifier walks the entries in order and keeps what follows from them.
type verifier struct {
	b        *Book
	tx       *sqlx.Tx
	outside  []byte // the checkpoint kept outside the database
	report   Verification
	accounts map[ledger.AccountID]*account
	frontier map[int64]ledger.Hash
	next     ledger.Seq
	recorded time.Time
	records  map[ledger.Seq]*kept // entries that later ones may refer to
	tally    *policy.Tally
	credit   map[string]ledger.Minutes // credit on the care, held and owed accounts of each volunteer
	choices  map[string][]choiceFacts  // by owner
	rules    map[ledger.Hash]*policy.Rules
	claims   int64
	carries  int64
	chosen   int64
	given    int64
	gifts    map[string][]giftFacts // by giver
	kin      map[pairKey]*relationFacts
	redeemed map[string][]*holdFacts // by volunteer
	wards    map[string][]WardConsent
	careAt   map[ledger.Seq]int64     // of holds that are booked
	strikes  map[string][]ledger.Date // against volunteers and partners
	groups   groupsKept
	holds    int64
	settled  int64
	answers  []answerSide                      // read, of entries that have not come yet
	owned    map[ledger.Owner][]ledger.Account // until the entry that opened them comes
	kinds    map[ledger.Kind]int64
}

// kept is what later entries need of an earlier one.
type kept struct {
	kind      ledger.Kind
	effective ledger.Date
	volunteer string
	postings  []ledger.Posting
	facts     policy.ClaimFacts
	earned    policy.Earned
	rules     *policy.Rules
	served    *servedClaim
	referred  map[string]bool // "corrected", "settled"
}

func newVerifier(b *Book, tx *sqlx.Tx) *verifier {
	v := &verifier{b: b, tx: tx, accounts: map[ledger.AccountID]*account{}, frontier: map[int64]ledger.Hash{},
		records: map[ledger.Seq]*kept{}, tally: policy.NewTally(), credit: map[string]ledger.Minutes{}, choices: map[string][]choiceFacts{},
		gifts: map[string][]giftFacts{}, kin: map[pairKey]*relationFacts{}, redeemed: map[string][]*holdFacts{}, wards: map[string][]WardConsent{},
		groups: newGroupsKept(), careAt: map[ledger.Seq]int64{}, strikes: map[string][]ledger.Date{},
		rules: map[ledger.Hash]*policy.Rules{}, kinds: map[ledger.Kind]int64{}}
	v.report.Sums = map[ledger.Unit]ledger.Minutes{}
	for _, u := range ledger.Units {
		v.report.Sums[u] = 0
	}
	for _, r := range b.rules() {
		v.rules[r.Hash()] = r
	}
	return v
}

func (v *verifier) find(seq ledger.Seq, format string, args ...any) {
	if len(v.report.Findings) < findingsMax {
		v.report.Findings = append(v.report.Findings, Finding{seq, fmt.Sprintf(format, args...)})
	}
}

func (v *verifier) run(ctx context.Context, progress func(done, of int64)) error {
	var of int64
	if err := v.tx.GetContext(ctx, &of, `SELECT count(*) FROM entry`); err != nil {
		return fmt.Errorf("counting entries: %w", err)
	}
	if err := v.loadAccounts(ctx); err != nil {
		return err
	}
	v.keepOwners()
	if err := v.openAnswers(ctx); err != nil {
		return err
	}
	for after := ledger.Seq(-1); ; {
		rows, err := v.page(ctx, after)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		if err := v.checkPage(ctx, rows); err != nil {
			return err
		}
		after = rows[len(rows)-1].Seq
		if progress != nil {
			progress(v.report.Entries, of)
		}
	}
	return v.conclude(ctx)
}

// conclude checks what concerns the book as a whole.
func (v *verifier) conclude(ctx context.Context) error {
	for _, u := range ledger.Units {
		if v.report.Sums[u] != 0 {
			v.find(-1, "all postings in %s sum to %d, not to zero", u, v.report.Sums[u])
		}
	}
	v.checkUnowned()
	for _, check := range []func(context.Context) error{v.checkStrays, v.checkRegistry, v.checkRulesLife, v.checkRollups, v.checkCheckpoints} {
		if err := check(ctx); err != nil {
			return err
		}
	}
	// The first wrong entry comes first; what concerns no entry in particular comes last.
	slices.SortStableFunc(v.report.Findings, func(a, b Finding) int { return cmp.Compare(uint64(a.Seq), uint64(b.Seq)) })
	return nil
}

func (v *verifier) loadAccounts(ctx context.Context) error {
	const query = `SELECT id, owner_kind, coalesce(owner::text, '') AS owner, purpose, unit, may_owe, 0 AS balance FROM account`
	rows, err := selectAll[accountRow](ctx, v.tx, query)
	if err != nil {
		return fmt.Errorf("reading accounts: %w", err)
	}
	for _, r := range rows {
		a := &account{Account: r.account()}
		if v.accounts[a.ID] != nil {
			v.find(-1, "account %s is there twice", a.ID)
		}
		v.accounts[a.ID] = a
		if !inChart(a.Account) {
			v.find(-1, "account %s (%s of %s) is not in the chart of accounts", a.ID, a.Purpose, a.Owner.Kind)
		}
	}
	return nil
}

func inChart(a ledger.Account) bool {
	for _, l := range ledger.Chart {
		if l.Owner == a.Owner.Kind && l.Purpose == a.Purpose {
			return l.Unit == a.Unit && l.MayOwe == a.MayOwe
		}
	}
	return false
}

// page reads entries with their postings, as the database has them.
func (v *verifier) page(ctx context.Context, after ledger.Seq) ([]Record, error) {
	const query = `SELECT ` + entryColumns + ` FROM entry e WHERE e.seq > $1 ORDER BY e.seq LIMIT $2`
	rows, err := selectAll[entryRow](ctx, v.tx, query, after, verifyPage)
	if err != nil {
		return nil, fmt.Errorf("reading entries after %d: %w", after, err)
	}
	return withLines(ctx, v.tx, rows)
}

func (v *verifier) checkPage(ctx context.Context, records []Record) error {
	first, leaves := records[0].Seq, make([]ledger.Hash, 0, len(records))
	side, err := v.sideRows(ctx, records[0].Seq, records[len(records)-1].Seq)
	if err != nil {
		return err
	}
	for i := range records {
		r := &records[i]
		if r.Seq != v.next {
			v.find(v.next, "is missing: entry %d follows entry %d", r.Seq, v.next-1)
			v.next = r.Seq
		}
		v.checkEntry(r)
		v.checkLines(r)
		v.checkMeaning(r, side)
		v.countStored(r)
		v.kinds[r.Kind]++
		v.report.Entries++
		v.next++
		leaves = append(leaves, translog.LeafHash(translog.Leaf(r.Entry))) // of what the entry says, not of what is kept
	}
	if err := v.checkBindings(ctx, records, side); err != nil {
		return err
	}
	return v.checkHashes(ctx, int64(first), leaves)
}

// checkEntry checks an entry by itself and against the one before it.
func (v *verifier) checkEntry(r *Record) {
	if err := r.Check(); err != nil {
		v.find(r.Seq, "is not a valid entry: %v", err)
	}
	if !bytes.Equal(translog.Leaf(r.Entry), r.Leaf) {
		v.find(r.Seq, "differs from its leaf")
	}
	if r.Recorded.Before(v.recorded) {
		v.find(r.Seq, "is recorded before the entry that precedes it")
	}
	v.recorded = r.Recorded
	if r.Rules.IsZero() {
		return
	}
	if _, ok := v.rules[r.Rules]; !ok {
		v.find(r.Seq, "was decided by rule set %s, which is not in the book", r.Rules)
	}
}

// checkLines recomputes the running balances.
func (v *verifier) checkLines(r *Record) {
	for _, l := range r.Lines {
		v.report.Postings++
		v.report.Sums[l.Unit] += l.Minutes
		a, ok := v.accounts[l.Account]
		if !ok {
			v.find(r.Seq, "touches account %s, which does not exist", l.Account)
			continue
		}
		a.balance += l.Minutes
		switch {
		case a.Unit != l.Unit:
			v.find(r.Seq, "puts %s on account %s of %s", l.Unit, l.Account, a.Unit)
		case a.balance != l.Balance:
			v.find(r.Seq, "says the balance of account %s is %d, it is %d", l.Account, l.Balance, a.balance)
			a.balance = l.Balance // so that one wrong balance is one finding
		case a.balance < 0 && !a.MayOwe:
			v.find(r.Seq, "leaves %d minutes on account %s", a.balance, l.Account)
		}
	}
}

// countStored keeps what is stored for volunteers, after an entry.
func (v *verifier) countStored(r *Record) {
	v.keepFlows(r)
	for _, l := range r.Lines {
		if l.Owner.Kind == ledger.OwnerVolunteer && l.Unit == ledger.Care {
			v.credit[l.Owner.ID] += l.Minutes
		}
	}
}

var errWrong = errors.New("the ledger is not as its entries say it must be")

// Err is nil when nothing was found.
func (r Verification) Err() error {
	if len(r.Findings) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", errWrong, r.Findings[0])
}

package book

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"golang.org/x/sync/errgroup"

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

// findingsMax bounds the report; the first finding is the one that matters.
const findingsMax = 100

// findings are what one part of verifying found, in its order.
type findings struct{ list []Finding }

func (f *findings) find(seq ledger.Seq, format string, args ...any) {
	if len(f.list) < findingsMax {
		f.list = append(f.list, Finding{seq, fmt.Sprintf(format, args...)})
	}
}

// Verify recomputes everything from the entries as the database has them: numbering, sums, running
// balances, leaves, hashes, checkpoints, the rows beside the entries, and every decision of the rules.
// It reads one snapshot, by a few connections. progress, which may be nil, is told how many entries of how many are done.
func (b *Book) Verify(ctx context.Context, progress func(done, of int64)) (Verification, error) {
	return b.verify(ctx, verifyShape{verifyPageBits, verifyWorkers}, progress)
}

func (b *Book) verify(ctx context.Context, shape verifyShape, progress func(done, of int64)) (Verification, error) {
	report, err := b.verifySnapshot(ctx, shape, progress)
	if err != nil && ctx.Err() != nil { // the driver tells in several ways that its transaction was ended for that
		err = fmt.Errorf("verifying: %w", ctx.Err())
	}
	return report, err
}

func (b *Book) verifySnapshot(ctx context.Context, shape verifyShape, progress func(done, of int64)) (Verification, error) {
	outside, err := b.outside() // before the snapshot, which then has it: the book may go on meanwhile
	if err != nil {
		return Verification{}, err
	}
	s, err := b.snapshot(ctx, 2+shape.workers)
	if err != nil {
		return Verification{}, err
	}
	defer s.close()
	if err := b.loadRules(ctx, s[0]); err != nil {
		return Verification{Findings: []Finding{{-1, err.Error()}}}, ctx.Err() // a set that cannot be read is a finding; no time to read it is none
	}
	v := newVerifier(b, s, shape)
	err = v.run(ctx, outside, progress)
	return v.report, err
}

// verifier walks the entries in order and keeps what follows from them.
type verifier struct {
	ground
	findings            // of the walk
	rollups    findings // of what is rolled up, which concerns no entry
	tx         *sqlx.Tx
	readers    snapshot // of pages
	of         int64    // entries that there are
	report     Verification
	edge       translog.Edge
	next       ledger.Seq
	recorded   time.Time
	parties    parties
	applied    map[string]applicationOf // the latest application of each volunteer
	kin        map[pairKey]*relationFacts
	kinBySeq   map[ledger.Seq]*relationFacts
	keptClaims keptBy[keptClaim]
	keptHolds  keptBy[keptHold]
	words      lexicon
	aside      *aside
	strays     []Finding             // of entries that have not come yet
	rolled     map[int64]*rolled     // by what rollups are of
	registered map[ledger.Owner]bool // by an entry so far
	kinds      map[ledger.Kind]int64 // how many entries there were
	claims     int64
	carries    int64
	chosen     int64
	given      int64
	holds      int64
	settled    int64
}

// running is an account with its balance after the entries so far.
type running struct {
	ledger.Account
	balance ledger.Minutes
	party   *party  // whose it is
	line    *rolled // of the chart
	rolled  *rolled // nil where nothing is rolled up
}

func newVerifier(b *Book, s snapshot, shape verifyShape) *verifier {
	v := &verifier{ground: ground{shape: shape, zone: b.cfg.Zone, sets: b.rules(), rules: map[ledger.Hash]*policy.Rules{}, accounts: map[ledger.AccountID]*running{},
		owned: map[ledger.Owner][]*running{}, owners: map[uuid.UUID]string{}, rooms: make(chan *pageRoom, roomsMax)},
		tx: s[0], readers: s[2:], parties: parties{byID: map[string]*party{}}, applied: map[string]applicationOf{},
		kin: map[pairKey]*relationFacts{}, kinBySeq: map[ledger.Seq]*relationFacts{}, words: lexicon{byText: map[string]int32{}}, rolled: map[int64]*rolled{}, registered: map[ledger.Owner]bool{}, kinds: map[ledger.Kind]int64{}}
	v.report.Sums = map[ledger.Unit]ledger.Minutes{}
	for _, u := range ledger.Units {
		v.report.Sums[u] = 0
	}
	for _, r := range v.sets {
		v.rules[r.Hash()] = r
	}
	v.aside = &aside{book: b, tx: s[1]}
	return v
}

// run starts what reads ahead and what looks at the rest of the book, and walks. All of it has ended when it returns.
func (v *verifier) run(ctx context.Context, outside []byte, progress func(done, of int64)) error {
	numbers, beside, err := v.begin(ctx)
	if err != nil {
		return err
	}
	running, cancel := context.WithCancel(ctx)
	g, running := errgroup.WithContext(running)
	defer func() { cancel(); _ = g.Wait() }() // also when progress does not return
	g.Go(func() error { return v.aside.check(running, outside, v.size) })
	if err = v.walk(running, v.readAhead(running, g, numbers, beside), progress); err != nil {
		cancel()
	}
	// When something beside the walk failed, the walk was only told to stop.
	if failed := g.Wait(); failed != nil && (err == nil || errors.Is(err, context.Canceled)) {
		err = failed
	}
	if err != nil {
		return err
	}
	return v.conclude(ctx)
}

// begin reads what must be known before the first entry: on one connection which pages there are, while another reads
// the accounts and sorts what is read beside the entries.
func (v *verifier) begin(ctx context.Context) (pages []int64, beside besideRows, err error) {
	g, ctx := errgroup.WithContext(ctx)
	var beyond []Finding
	g.Go(func() (err error) {
		if pages, beyond, err = v.pages(ctx, v.readers[0]); err != nil {
			return err
		}
		return v.readers.plan(ctx, readByRange)
	})
	g.Go(func() (err error) {
		if err := v.loadAccounts(ctx); err != nil {
			return err
		}
		v.keepOwners()
		if err := (snapshot{v.tx}).plan(ctx, groupPlan); err != nil {
			return err
		}
		beside, err = openBeside(ctx, v.tx, v.shape.pageBits)
		return err
	})
	err = g.Wait()
	v.list = append(beyond, v.list...)
	return pages, beside, err
}

// walk checks the pages in order.
func (v *verifier) walk(ctx context.Context, pages <-chan *page, progress func(done, of int64)) error {
	for p := range pages {
		select {
		case <-p.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if p.err != nil {
			return p.err
		}
		if err := v.checkPage(ctx, p); err != nil {
			return err
		}
		if progress != nil && len(p.entries) > 0 {
			progress(v.report.Entries, v.of)
		}
		v.release(p)
	}
	return ctx.Err()
}

// conclude checks what concerns the book as a whole.
func (v *verifier) conclude(ctx context.Context) error {
	v.checkStraysBefore(math.MaxInt64)
	for _, u := range ledger.Units {
		if v.report.Sums[u] != 0 {
			v.find(-1, "all postings in %s sum to %d, not to zero", u, v.report.Sums[u])
		}
	}
	v.checkUnowned()
	var strays findings
	if err := v.checkStrays(ctx, &strays); err != nil {
		return err
	}
	v.report.Checkpoints, v.report.Root = v.aside.checkpoints, v.aside.root
	for _, f := range []findings{v.findings, strays, v.aside.registry, v.rollups, v.aside.log} {
		v.report.Findings = append(v.report.Findings, f.list...)
	}
	// The first wrong entry comes first; what concerns no entry in particular comes last.
	slices.SortStableFunc(v.report.Findings, func(a, b Finding) int { return cmp.Compare(uint64(a.Seq), uint64(b.Seq)) })
	v.report.Findings = v.report.Findings[:min(len(v.report.Findings), findingsMax)]
	return nil
}

// loadAccounts reads the accounts, and which of them have rollups.
func (v *verifier) loadAccounts(ctx context.Context) (err error) {
	const query = `
		SELECT record_send(ROW(id, owner_kind, owner, purpose, unit, may_owe,
		       EXISTS (SELECT FROM rollup r WHERE r.account = a.id AND r.level = 3 AND r.period = 0))) FROM account a`
	statement, err := v.tx.PreparexContext(ctx, query) // prepared, its values come as bytes, not as text
	if err != nil {
		return fmt.Errorf("reading accounts: %w", err)
	}
	defer func() { err = errors.Join(err, statement.Close()) }()
	rows, err := statement.QueryContext(ctx)
	if err != nil {
		return fmt.Errorf("reading accounts: %w", err)
	}
	defer rows.Close()
	var rolled []ledger.AccountID
	for rows.Next() {
		var row sql.RawBytes
		if err := rows.Scan(&row); err != nil {
			return fmt.Errorf("reading accounts: %w", err)
		}
		w := wire{rest: row}
		w.next()
		a := &running{Account: w.account(v.owners)}
		if w.yes() {
			rolled = append(rolled, a.ID)
		}
		if w.err != nil {
			return fmt.Errorf("reading accounts: %w", w.err)
		}
		if w.odd {
			v.find(-1, "account %s has a row in account%s", a.ID, oddColumn)
		}
		v.keepAccount(a)
	}
	v.keepRolled(rolled)
	return rows.Err()
}

func (v *verifier) keepAccount(a *running) {
	if v.accounts[a.ID] != nil {
		v.find(-1, "account %s is there twice", a.ID)
	}
	v.accounts[a.ID], a.party = a, v.parties.of(a.Owner.ID)
	if !inChart(a.Account) {
		v.find(-1, "account %s (%s of %s) is not in the chart of accounts", a.ID, a.Purpose, a.Owner.Kind)
	}
}

func inChart(a ledger.Account) bool {
	for _, l := range ledger.Chart {
		if l.Owner == a.Owner.Kind && l.Purpose == a.Purpose {
			return l.Unit == a.Unit && l.MayOwe == a.MayOwe
		}
	}
	return false
}

// checkPage checks the entries of a page, and what stands between them.
func (v *verifier) checkPage(ctx context.Context, p *page) error {
	v.joinTree(p)
	v.strays = append(v.strays, p.strays...)
	for i := range p.entries {
		if err := ctx.Err(); err != nil { // the entries of a book in which rules of the schema were dropped may have much beside them
			return err
		}
		r := &p.entries[i]
		if r.Seq != v.next {
			v.find(v.next, "is missing: entry %d follows entry %d", r.Seq, v.next-1)
			v.next = r.Seq
		}
		v.checkStraysBefore(r.Seq)
		v.checkSums(p, r.Seq)
		v.checkEntry(r)
		v.checkLines(r)
		v.checkMeaning(r)
		v.keepFlows(r)
		v.checkBinding(r)
		for _, index := range r.wrongHashes {
			v.find(leafOf(index), "stored hash %d is not that of the entries", index)
		}
		v.kinds[r.Kind]++
		v.report.Entries++
		v.next++
	}
	v.checkSums(p, math.MaxInt64)
	return nil
}

// checkStraysBefore tells of what stands before an entry and belongs to none, after it was told which entry is missing.
func (v *verifier) checkStraysBefore(seq ledger.Seq) {
	for len(v.strays) > 0 && v.strays[0].Seq < seq {
		v.find(v.strays[0].Seq, "%s", v.strays[0].What)
		v.strays = v.strays[1:]
	}
}

// checkSums adds the postings that stand before an entry, or after the last of a page, and belong to none, and checks what was
// rolled up until then.
func (v *verifier) checkSums(p *page, seq ledger.Seq) {
	for len(p.loose) > 0 && p.loose[0].seq < seq {
		if a := v.accounts[p.loose[0].Account]; a != nil {
			a.rollPosting(p.loose[0].on, p.loose[0].Minutes)
		}
		p.loose = p.loose[1:]
	}
	v.checkRolled(p, int64(seq))
}

// checkEntry checks an entry by itself and against the one before it.
func (v *verifier) checkEntry(r *prepared) {
	if r.invalid != nil {
		v.find(r.Seq, "is not a valid entry: %v", r.invalid)
	}
	if r.leafDiffers {
		v.find(r.Seq, "differs from its leaf")
	}
	if r.Recorded.Before(v.recorded) {
		v.find(r.Seq, "is recorded before the entry that precedes it")
	}
	v.recorded = r.Recorded
	if r.oddPosting {
		v.find(r.Seq, oddPosting)
	}
	if r.Rules.IsZero() {
		return
	}
	if _, ok := v.rules[r.Rules]; !ok {
		v.find(r.Seq, "was decided by rule set %s, which is not in the book", r.Rules)
	}
}

// checkLines recomputes the running balances.
func (v *verifier) checkLines(r *prepared) {
	for i := range r.Lines {
		l := &r.Lines[i]
		v.report.Postings++
		v.report.Sums[l.Unit] += l.Minutes
		a := r.touched[i]
		if a == nil {
			v.find(r.Seq, "touches account %s, which does not exist", l.Account)
			continue
		}
		a.balance += l.Minutes
		a.rollPosting(r.postedOn[i], l.Minutes)
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

var errWrong = errors.New("the ledger is not as its entries say it must be")

// Err is nil when nothing was found.
func (r Verification) Err() error {
	if len(r.Findings) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", errWrong, r.Findings[0])
}

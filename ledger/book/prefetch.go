package book

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"timebank/ledger"
	"timebank/ledger/translog"
	"timebank/policy"
)

// wants is what the commands of a batch need to know, gathered so that each kind of fact is one query.
type wants struct {
	organizations set[string]
	volunteers    set[string] // with accounts
	partners      set[string]
	clients       set[string]
	taken         set[externalID]
	days          set[volunteerDay]
	references    set[referenceKey]
	targets       set[ledger.Seq]
	redemptions   set[string]
	holdsOf       set[string]
	consents      set[consentKey]
	choosers      set[string] // owners whose choices matter
	carried       set[string] // volunteers of whom rounding may have left something
	drafts        set[ledger.Hash]
	pairs         set[pairKey]
	ended         set[ledger.Seq] // relations that are to end
	givers        set[string]
	redeemers     set[string]
	wards         set[string] // who may need a guardian's consent
	strikes       set[string] // volunteers and partners against whom cancellings may count
}

type volunteerDay struct {
	volunteer string
	day       ledger.Date
}

// set keeps the order in which things were added, so that queries are the same in every run.
type set[T comparable] struct {
	has  map[T]bool
	list []T
}

func (s *set[T]) add(x T) {
	if s.has == nil {
		s.has = make(map[T]bool)
	}
	if !s.has[x] {
		s.has[x] = true
		s.list = append(s.list, x)
	}
}

// lookUp gives the world after what is known, with everything that the commands of a batch may ask: in a first question what
// all batches ask, and then in one for each other kind of fact that is not known.
func (b *Book) lookUp(ctx context.Context, q selecter, remembered *known, batch []*pending) (*world, error) {
	w, n := b.worldAfter(remembered), &wants{}
	want := func() {
		for _, p := range batch {
			p.cmd.want(w, n)
		}
	}
	want()
	refers := len(n.targets.list)+len(n.redemptions.list) > 0
	f := firstLook{batch: batch}
	if !refers { // otherwise it is not known yet whose claims matter
		f.days = n.days.list
	}
	now, err := f.read(ctx, q, w)
	if err != nil {
		return nil, err
	}
	b.setTime(w, now)
	if refers {
		if err := w.fetchReferred(ctx, q, n); err != nil {
			return nil, err
		}
		want() // now that it is known what they refer to
		if err := w.fetchClaims(ctx, q, n); err != nil {
			return nil, err
		}
	}
	return w, b.prefetch(ctx, q, w, n, batch)
}

// prefetch looks up what is wanted, a query a kind of fact.
func (b *Book) prefetch(ctx context.Context, q selecter, w *world, n *wants, batch []*pending) error {
	for _, p := range batch {
		if l, ok := p.cmd.(lone); ok {
			if err := l.look(ctx, q, w, n); err != nil {
				return err
			}
		}
	}
	for _, fetch := range []func(context.Context, selecter, *wants) error{
		w.fetchHolds, w.wantPartners,
		w.fetchOrganizations, w.fetchPartners, w.fetchClients, w.fetchTaken, w.fetchReferences,
		w.fetchConsents, w.fetchChoices, w.fetchCarried, w.fetchDrafts, w.fetchRelations, w.fetchGifts, w.fetchGiven, w.fetchWards, w.fetchStrikes, w.fetchAccounts, w.fetchFrontier,
		func(ctx context.Context, q selecter, n *wants) error {
			return w.fetchVolunteers(ctx, q, n, b.keys.Person)
		},
	} {
		if err := fetch(ctx, q, n); err != nil {
			return err
		}
	}
	return nil
}

// bookState is where the book ends.
type bookState struct {
	Next     ledger.Seq   `db:"next"`
	Last     sql.NullTime `db:"last"` // when the last entry was recorded
	Salt     []byte       `db:"salt"` // of the last entry
	RuleSets int          `db:"rule_sets"`
}

// knownOf gives what is known of a book that ends there, if that is still true. The caller has the writers' turn.
func (b *Book) knownOf(ctx context.Context, q selecter, s bookState) (*known, error) {
	if len(b.rules()) != s.RuleSets { // another process activated one
		if err := b.loadRules(ctx, q); err != nil {
			return nil, err
		}
	}
	known := b.known
	b.known = nil // until this batch is decided
	if b.overtaken = !known.holds(s); b.overtaken || !known.small() {
		known = newKnown(s)
	}
	return known, nil
}

// setTime sets a world to an instant of the database's clock.
func (b *Book) setTime(w *world, clock time.Time) {
	w.now = clock.UTC().Truncate(time.Microsecond)
	if w.now.Before(w.known.last) { // the server's clock was set back: the order stays
		w.now = w.known.last.UTC()
	}
	w.clock, w.today = careTime(w.now.In(b.cfg.Zone)), b.today(w.now)
	w.spending.turnTo(w.today)
}

// worldAfter gives the world after what is known, at no time yet.
func (b *Book) worldAfter(remembered *known) *world {
	return &world{
		first: remembered.next, salt: remembered.salt, next: remembered.next, ruleSets: b.rules(), known: remembered,
		organizations: map[string]ledger.OrganizationKind{}, volunteers: map[string]*volunteerFacts{},
		partners: map[string]bool{}, clients: map[string]bool{}, taken: map[externalID]bool{},
		claims: map[string][]*claimFacts{}, references: map[referenceKey]*claimFacts{},
		targets: map[ledger.Seq]*target{}, holds: map[string]*holdFacts{}, spending: remembered.spending,
		choices: map[string][]choiceFacts{}, carried: map[carryKey]policy.Carry{},
		drafts: map[ledger.Hash]*draftFacts{}, relations: map[pairKey]*relationFacts{}, gifts: map[string][]giftFacts{},
		granted: map[string]ledger.Minutes{}, wards: map[string][]WardConsent{}, frontier: map[int64]ledger.Hash{},
	}
}

// fetchFrontier reads the hashes at the right edge of the log, which the next leaves are joined to.
func (w *world) fetchFrontier(ctx context.Context, q selecter, _ *wants) error {
	if w.known.frontier != nil {
		w.frontier = w.known.frontier
		return nil
	}
	hashes, err := readHashes(ctx, q, translog.Frontier(int64(w.next)))
	if err != nil {
		return err
	}
	w.frontier = hashes
	return nil
}

// accountsEach is how many accounts an owner has, about.
const accountsEach = 5

// fetchAccounts reads the accounts, with their balances, of everybody the batch touches, and of the
// bank and the pool.
func (w *world) fetchAccounts(ctx context.Context, q selecter, n *wants) error {
	owners := slices.Concat([]string{nobody}, n.volunteers.list, n.organizations.list, n.partners.list)
	w.accounts, w.accountByID = make(map[accountKey]*account, accountsEach*len(owners)), make(map[ledger.AccountID]*account, accountsEach*len(owners))
	owners = missing(owners, w.known.accounts, func(_ string, remembered []*account) {
		for _, a := range remembered {
			w.putAccount(a)
		}
	})
	if len(owners) == 0 {
		return nil
	}
	const query = `
		SELECT a.id, a.owner_kind, coalesce(a.owner::text, '') AS owner, a.purpose, a.unit, a.may_owe, coalesce(p.balance, 0) AS balance
		FROM unnest($1::uuid[]) AS n (owner)
		JOIN account a ON coalesce(a.owner, '00000000-0000-0000-0000-000000000000') = n.owner
		LEFT JOIN LATERAL last_posting(a.id, $2) p ON true`
	rows, err := selectAll[accountRow](ctx, q, query, uuids(owners), int64(w.next))
	if err != nil {
		return fmt.Errorf("reading accounts: %w", err)
	}
	for _, r := range rows {
		a := &account{Account: r.account(), balance: r.Balance}
		w.putAccount(a)
		owner := cmp.Or(r.Owner, nobody)
		w.known.accounts[owner] = append(w.known.accounts[owner], a)
	}
	return nil
}

type accountRow struct {
	ID        ledger.AccountID `db:"id"`
	OwnerKind ledger.OwnerKind `db:"owner_kind"`
	Owner     string           `db:"owner"`
	Purpose   ledger.Purpose   `db:"purpose"`
	Unit      ledger.Unit      `db:"unit"`
	MayOwe    bool             `db:"may_owe"`
	Balance   ledger.Minutes   `db:"balance"`
}

func (r accountRow) account() ledger.Account {
	return ledger.Account{ID: r.ID, Owner: ledger.Owner{Kind: r.OwnerKind, ID: r.Owner},
		Purpose: r.Purpose, Unit: r.Unit, MayOwe: r.MayOwe}
}

// selecter is what reads rows: the pool, a transaction, or the writer with its prepared statements.
type selecter interface {
	SelectContext(ctx context.Context, into any, query string, args ...any) error
}

// selectAll runs a query whose rows have the db tags of T.
func selectAll[T any](ctx context.Context, q selecter, query string, args ...any) ([]T, error) {
	var rows []T
	err := q.SelectContext(ctx, &rows, query, args...)
	return rows, err
}

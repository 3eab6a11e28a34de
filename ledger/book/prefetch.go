package book

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

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

// lookUp gives the world after what is known, with everything that the commands of a batch may ask.
func (b *Book) lookUp(ctx context.Context, q selecter, remembered *known, batch []*pending) (*world, error) {
	now, answers, err := readAnswers(ctx, q, batch)
	if err != nil {
		return nil, err
	}
	w := b.worldAt(now, remembered)
	w.answers = answers
	return w, b.prefetch(ctx, q, w, batch)
}

// prefetch looks up the facts that the commands of a batch may ask, a query a kind of fact.
func (b *Book) prefetch(ctx context.Context, q selecter, w *world, batch []*pending) error {
	first := &wants{}
	for _, p := range batch {
		p.cmd.want(w, first)
	}
	if err := w.fetchReferred(ctx, q, first); err != nil {
		return err
	}
	n := first
	if len(first.targets.list)+len(first.redemptions.list) > 0 {
		for _, p := range batch { // now that it is known what they refer to
			p.cmd.want(w, n)
		}
	}
	for _, p := range batch {
		if l, ok := p.cmd.(lone); ok {
			if err := l.look(ctx, q, w, n); err != nil {
				return err
			}
		}
	}
	for _, fetch := range []func(context.Context, selecter, *wants) error{
		w.fetchHolds, w.wantPartners,
		w.fetchOrganizations, w.fetchPartners, w.fetchClients, w.fetchTaken, w.fetchClaims, w.fetchReferences,
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

// worldAt gives the world after what is known, at an instant of the database's clock.
func (b *Book) worldAt(clock time.Time, remembered *known) *world {
	now := clock.UTC().Truncate(time.Microsecond)
	if now.Before(remembered.last) { // the server's clock was set back: the order stays
		now = remembered.last.UTC()
	}
	remembered.spending.turnTo(b.today(now))
	return &world{
		now: now, clock: careTime(now.In(b.cfg.Zone)), today: b.today(now),
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

// readAnswers reads what was answered under the keys of a batch, and the database's clock, which is the batch's: a
// question of its own for the clock was a sixth of deciding.
func readAnswers(ctx context.Context, q selecter, batch []*pending) (now time.Time, answers map[answerKey]answer, err error) {
	clients, keys := make([]string, 0, len(batch)), make([]string, 0, len(batch))
	for _, p := range batch {
		if !p.dryRun {
			clients, keys = append(clients, clientOf(p.by)), append(keys, p.key.Text)
		}
	}
	const query = `
		SELECT clock.now, coalesce(a.client::text, '') AS client, coalesce(a.key, '') AS key, a.request, a.seq,
		       coalesce(a.subject::text, '') AS subject, coalesce(a.refusal, '') AS refusal
		FROM (SELECT clock_timestamp() AS now) clock
		LEFT JOIN (unnest($1::uuid[], $2::text[]) AS n (client, key)
		           JOIN answer a ON a.client = n.client AND a.key = n.key) ON true`
	rows, err := selectAll[answerRow](ctx, q, query, uuids(clients), texts(keys))
	if err != nil {
		return now, nil, fmt.Errorf("reading answers: %w", err)
	}
	answers = make(map[answerKey]answer, len(batch))
	for _, r := range rows {
		now = r.Now
		if r.Client == "" { // nothing was asked under any of them
			continue
		}
		a, err := r.answer()
		if err != nil {
			return now, nil, err
		}
		answers[a.answerKey] = a
	}
	return now, answers, nil
}

type answerRow struct {
	Now     time.Time     `db:"now"`
	Client  string        `db:"client"`
	Key     string        `db:"key"`
	Request []byte        `db:"request"`
	Seq     sql.NullInt64 `db:"seq"`
	Subject string        `db:"subject"`
	Refusal string        `db:"refusal"`
}

func (r answerRow) answer() (answer, error) {
	a := answer{answerKey: answerKey{r.Client, r.Key}, id: r.Subject}
	copy(a.request[:], r.Request)
	if r.Seq.Valid {
		seq := ledger.Seq(r.Seq.Int64)
		a.seq = &seq
	}
	if r.Refusal == "" {
		return a, nil
	}
	a.refusal = new(ledger.Refusal)
	if err := json.Unmarshal([]byte(r.Refusal), a.refusal); err != nil {
		return a, fmt.Errorf("reading the refusal under a key: %w", err)
	}
	return a, nil
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

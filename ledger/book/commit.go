package book

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"timebank/ledger"
)

// decided is a batch as the rules decided it: what to record, and what to answer when that is done. What to record is
// made when it is decided: the balances of the accounts are those of the next batch from then on.
type decided struct {
	batch   []*pending
	results []turnResult
	w       *world
	inserts inserts
}

// decide decides a batch in a world that has all it asks. What it comes to is known from then on; when recording it
// fails, what is known must be forgotten.
func (b *Book) decide(w *world, batch []*pending) (*decided, error) {
	d := &decided{batch: batch, results: make([]turnResult, len(batch)), w: w}
	w.records, w.effects, w.newAnswers = make([]*Record, 0, len(batch)), make([]effect, 0, len(batch)), make([]answer, 0, len(batch))
	for i, p := range batch {
		d.results[i] = w.take(p)
		if w.broken != nil { // never recorded in part: the batch is tried again, each command alone
			return nil, w.broken
		}
	}
	var err error
	if d.inserts, err = w.inserts(); err != nil {
		return nil, err
	}
	w.known.learn(w)
	b.known = w.known
	return d, nil
}

// takeTurn begins a transaction, waits for the writers' turn, and tells where the book ends then.
func (b *Book) takeTurn(ctx context.Context) (*writeTx, bookState, error) {
	tx, err := b.beginWrite(ctx)
	if err != nil {
		return nil, bookState{}, err
	}
	s, err := only(selectAll[bookState](ctx, tx, `SELECT next, last, salt, rule_sets FROM take_turn()`))
	if err != nil {
		return nil, s, errors.Join(fmt.Errorf("taking the turn: %w", err), tx.tx.Rollback())
	}
	return tx, s, nil
}

// decideLocked takes the writers' turn and decides a batch in the book as it is then. A panic is our own mistake about
// one command, and fails the batch.
func (b *Book) decideLocked(ctx context.Context, batch []*pending) (*writeTx, *decided, error) {
	tx, s, err := b.takeTurn(ctx)
	if err != nil {
		return nil, nil, err
	}
	var d *decided
	err = safely(func() error {
		if s.Next < b.committed {
			return fmt.Errorf("%w: %d entries were recorded here, the database has %d", ErrRolledBack, b.committed, s.Next)
		}
		known, err := b.knownOf(ctx, tx, s)
		if err != nil {
			return err
		}
		w, err := b.lookUp(ctx, tx, known, batch)
		if err != nil {
			return err
		}
		d, err = b.decide(w, batch)
		return err
	})
	if err != nil {
		tx.tx.Rollback()
		return nil, nil, err
	}
	return tx, d, nil
}

// commit runs one batch in one transaction: lock, prefetch, decide, record; or ahead of its turn where that may be. When it
// gives an error, nothing of the batch was recorded, unless the error is of the COMMIT itself, of the way to a database that commits
// by itself, or of reading the rule sets anew after it: then asking again under the same keys tells what became of it.
func (b *Book) commit(ctx context.Context, batch []*pending) (*decided, error) {
	if d := b.decideAhead(ctx, batch); d != nil {
		err := safely(func() error { return d.recordAhead(ctx, b.statements) })
		if err == nil {
			b.recorded(d.w)
			return d, nil
		}
		b.known = nil
		if !errors.Is(err, errOvertaken) {
			return nil, err
		}
	}
	tx, d, err := b.decideLocked(ctx, batch)
	if err != nil {
		return nil, err
	}
	if err := safely(func() error { return d.record(ctx, tx) }); err != nil {
		b.known = nil
		return nil, err
	}
	b.recorded(d.w)
	if d.w.rulesAdded {
		return d, b.loadRules(ctx, b.db)
	}
	return d, nil
}

// recorded takes note of a batch that was recorded.
func (b *Book) recorded(w *world) {
	b.committed = w.next
	b.moves.add(w)
}

// record records a decided batch and ends the transaction.
func (d *decided) record(ctx context.Context, tx *writeTx) error {
	defer tx.tx.Rollback()
	if err := d.inserts.run(ctx, tx); err != nil {
		return fmt.Errorf("recording entries %d to %d: %w", d.w.first, d.w.next-1, err)
	}
	if err := tx.tx.Commit(); err != nil {
		return fmt.Errorf("committing a batch: %w", err)
	}
	return nil
}

// recordAhead records a batch that was decided ahead, in one statement that takes the writers' turn itself: PostgreSQL
// would stand still between several, for as long as this process is busy with others. It records only if the book then
// ends where the batch begins. Where PostgreSQL has ended the connection it may be sent once more, and then does not.
func (d *decided) recordAhead(ctx context.Context, s *statements) error {
	query, args := d.inserts.afterTurn(s, d.w)
	turn, err := selectAll[ledger.Seq](ctx, s, query, args...)
	if rolledBack(err) { // it waited for others with locks on its tables, and they perhaps for it
		return errOvertaken
	}
	if err != nil {
		return fmt.Errorf("recording entries %d to %d: %w", d.w.first, d.w.next-1, err)
	}
	if len(turn) == 0 {
		return errOvertaken
	}
	return nil
}

// answer gives each caller its result.
func (d *decided) answer() {
	for i, p := range d.batch {
		p.done <- d.results[i]
	}
}

// take decides one command in the world as the commands before it left it.
func (w *world) take(p *pending) turnResult {
	name := answerKey{clientOf(p.by), p.key.Text}
	if a, ok := w.answers[name]; ok && !p.dryRun {
		return replayed(a, p.key)
	}
	d, err := p.cmd.decide(w)
	if p.dryRun {
		return w.rehearse(p, d, err)
	}
	refusal := refusalOf(err)
	if err != nil && refusal == nil {
		return turnResult{err: err} // malformed or forbidden: nothing to remember
	}
	if refusal == nil && len(d.effects) == 0 {
		return turnResult{err: errors.New("a command came to nothing")}
	}
	effects := d.effects
	if refusal != nil {
		e, err := refused(w, p, refusal)
		if err != nil {
			return turnResult{err: err}
		}
		effects = append(slices.Clip(effects), e)
	}
	var last *Record
	for i, e := range effects {
		var key *asked
		if i == len(effects)-1 {
			key = &asked{name, p.key.Request, d.id}
		}
		if last, w.broken = w.apply(p.by, e, key); w.broken != nil {
			return turnResult{err: w.broken}
		}
	}
	a := answer{answerKey: name, request: p.key.Request, id: d.id, refusal: refusal, seq: &last.Seq, fresh: last}
	w.answers[name] = a
	w.newAnswers = append(w.newAnswers, a)
	if refusal != nil {
		return turnResult{err: refusal}
	}
	answering := effects[len(effects)-1]
	return turnResult{receipt: Receipt{Record: *last, ID: d.id, Redemption: answering.redemption(last), decided: answering.decided}}
}

// about is a command that concerns somebody other than its actor.
type about interface {
	about() (organization, volunteer, partner string)
}

// refused gives the entry that a refusal is: whoever asked, and whom it concerns, can see that it was asked.
func refused(w *world, p *pending, r *ledger.Refusal) (effect, error) {
	details, err := encode(r)
	if err != nil {
		return effect{}, err
	}
	e := effect{draft: ledger.Draft{Kind: ledger.KindRefusal, Effective: w.today, Details: details}}
	if c, ok := p.cmd.(about); ok {
		e.organization, e.volunteer, e.partner = c.about()
	}
	switch p.by.Role {
	case ledger.RoleOrganization:
		e.organization = p.by.Subject
	case ledger.RoleVolunteer:
		e.volunteer = cmp.Or(e.volunteer, p.by.Subject)
	case ledger.RolePartner:
		e.partner = p.by.Subject
	}
	return e, nil
}

// rehearse answers a dry run: what would be recorded, with nothing changed.
func (w *world) rehearse(p *pending, d decision, err error) turnResult {
	if err != nil {
		return turnResult{err: err}
	}
	r, err := w.draft(p.by, d.effects[len(d.effects)-1])
	if err != nil {
		return turnResult{err: err}
	}
	return turnResult{receipt: Receipt{Record: *r, ID: d.id}}
}

// replayed answers a key that was answered before, or refuses it to another request.
func replayed(a answer, key Key) turnResult {
	switch {
	case a.request != key.Request:
		return turnResult{err: &KeyReused{key.Text}}
	case a.refusal != nil:
		return turnResult{err: a.refusal}
	case a.fresh != nil: // earlier in this very batch
		return turnResult{receipt: Receipt{Record: *a.fresh, ID: a.id, Replayed: true}}
	default:
		return turnResult{replay: &a}
	}
}

func refusalOf(err error) *ledger.Refusal {
	var r *ledger.Refusal
	if errors.As(err, &r) {
		return r
	}
	return nil
}

// nobody is the client of the bank itself: a bootstrap, or a hold that ended by its time.
const nobody = "00000000-0000-0000-0000-000000000000"

func clientOf(by ledger.Actor) string {
	if by.Client == "" {
		return nobody
	}
	return by.Client
}

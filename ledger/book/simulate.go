package book

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/jmoiron/sqlx"

	"timebank/ledger"
	"timebank/policy"
)

// SimulatedLine is one claim of a simulation.
type SimulatedLine struct {
	Seq       ledger.Seq
	Volunteer string
	ServedOn  ledger.Date
	Minutes   ledger.Minutes
	Grade     ledger.Grade
	policy.SimulatedClaim
}

// Simulate decides recorded history as if a draft had been in force for the service of some days. It reads
// one snapshot, in pages, and records nothing. line, which may be nil, gets every claim in the order of
// recording; progress, which may be nil, is told how many entries of how many are done.
func (b *Book) Simulate(ctx context.Context, draft *policy.Rules, from, to ledger.Date, line func(SimulatedLine) error,
	progress func(done, of int64)) (policy.Report, error) {
	tx, err := b.db.BeginTxx(ctx, readSnapshot)
	if err != nil {
		return policy.Report{}, fmt.Errorf("beginning to simulate: %w", err)
	}
	defer tx.Rollback()
	if err := b.loadRules(ctx, tx); err != nil {
		return policy.Report{}, err
	}
	s, err := newSimulator(ctx, b, tx, draft, from, to)
	if err != nil {
		return policy.Report{}, err
	}
	s.line = line
	var of int64
	if err := tx.GetContext(ctx, &of, `SELECT count(*) FROM entry`); err != nil {
		return policy.Report{}, fmt.Errorf("counting entries: %w", err)
	}
	for after := ledger.Seq(-1); ; {
		rows, err := recordsAfter(ctx, tx, after)
		if err != nil {
			return policy.Report{}, err
		}
		if len(rows) == 0 {
			return s.simulation.Report(), nil
		}
		for i := range rows {
			if err := s.entry(&rows[i]); err != nil {
				return policy.Report{}, err
			}
		}
		after = rows[len(rows)-1].Seq
		if progress != nil {
			progress(int64(after)+1, of)
		}
	}
}

// simulatePage is how many entries are read at a time.
const simulatePage = 2000

// recordsAfter reads a page of entries with their postings.
func recordsAfter(ctx context.Context, tx *sqlx.Tx, after ledger.Seq) ([]Record, error) {
	const query = `SELECT ` + entryColumns + ` FROM entry e WHERE e.seq > $1 ORDER BY e.seq LIMIT $2`
	rows, err := selectAll[entryRow](ctx, tx, query, after, simulatePage)
	if err != nil {
		return nil, fmt.Errorf("reading entries after %d: %w", after, err)
	}
	return withLines(ctx, tx, rows)
}

type simulator struct {
	b          *Book
	simulation *policy.Simulation
	places     map[string]ledger.Place // by organization
	line       func(SimulatedLine) error
}

func newSimulator(ctx context.Context, b *Book, tx *sqlx.Tx, draft *policy.Rules, from, to ledger.Date) (*simulator, error) {
	simulation, err := policy.Simulate(draft, b.rules(), from, to)
	if err != nil {
		return nil, fmt.Errorf("preparing the simulation of %s: %w", draft.ID(), err)
	}
	s := &simulator{b: b, simulation: simulation, places: map[string]ledger.Place{}}
	type placeRow struct {
		ID        string `db:"id"`
		District  string `db:"district"`
		Street    string `db:"street"`
		Community string `db:"community"`
		Grid      string `db:"grid"`
	}
	rows, err := selectAll[placeRow](ctx, tx, `SELECT id, district, street, community, grid FROM organization`)
	if err != nil {
		return nil, fmt.Errorf("reading places: %w", err)
	}
	for _, r := range rows {
		s.places[r.ID] = ledger.Place{District: r.District, Street: r.Street, Community: r.Community, Grid: r.Grid}
	}
	return s, nil
}

// entry takes one entry of history.
func (s *simulator) entry(r *Record) error {
	switch r.Kind {
	case ledger.KindHours:
		return s.claim(r)
	case ledger.KindCorrection:
		s.simulation.Correct(*r.Refers)
		return nil
	}
	moved := map[string]ledger.Minutes{}
	for _, l := range r.Lines {
		if l.Owner.Kind == ledger.OwnerVolunteer && l.Unit == ledger.Care {
			moved[l.Owner.ID] += l.Minutes
		}
	}
	for volunteer, m := range moved {
		if m != 0 {
			s.simulation.Move(volunteer, m)
		}
	}
	return nil
}

func (s *simulator) claim(r *Record) error {
	var d claimDetails
	if err := json.Unmarshal(r.Details, &d); err != nil {
		return fmt.Errorf("reading the details of entry %d: %w", r.Seq, err)
	}
	rules, err := rulesByHash(s.b.rules(), r.Rules)
	if err != nil {
		return err
	}
	out, err := s.simulation.Claim(policy.Claimed{Seq: r.Seq, Volunteer: d.Volunteer, Place: s.places[d.Organization], By: rules, Facts: d.Facts})
	if err != nil || s.line == nil {
		return err
	}
	return s.line(SimulatedLine{r.Seq, d.Volunteer, d.Facts.ServedOn, d.Facts.Minutes, d.Grade, out})
}

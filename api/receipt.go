package api

import (
	"strings"

	"github.com/go-json-experiment/json"

	"timebank/api/gen"
	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/policy"
)

// receipt tells what a write recorded, or what a dry run would record.
func (s *Server) receipt(r book.Receipt, dryRun bool) gen.Receipt {
	g := gen.Receipt{Id: optional(r.ID), Seq: int64(r.Seq), Kind: gen.EntryKind(r.Kind), Effective: r.Effective.String(),
		RecordedAt: instant(r.Recorded), Postings: postings(r.Record), RuleSet: s.ruleSetName(r.Rules), RefersTo: seqPointer(r.Refers),
		Earned: []gen.Earned{}, Log: gen.LogPosition{Origin: s.book.Origin(), LeafHash: r.LeafHash.String()}}
	if dryRun {
		g.Seq, g.DryRun = -1, &dryRun
	}
	for _, l := range r.Lines {
		if r.Kind == ledger.KindHours && l.Owner.Kind == ledger.OwnerVolunteer && l.Unit != ledger.Service {
			g.Earned = append(g.Earned, gen.Earned{Unit: gen.Unit(l.Unit), Minutes: int64(l.Minutes)})
		}
	}
	if grade, words, err := s.book.Reasons(r, policy.English); err == nil {
		why := strings.Join(words, ". ")
		g.Grade, g.Why = optional(gen.ReceiptGrade(grade)), &why
	}
	return g
}

// Receipts are most of what the server answers while claims are posted, so they are written without reflection, just as
// json.Marshal writes the contract's types: members in the order of the generated fields.

// receiptBytes has room for most receipts of claims.
const receiptBytes = 1536

func receiptJSON(g gen.Receipt) ([]byte, error) {
	m := ledger.MembersIn(make([]byte, 0, receiptBytes))
	receiptMembers(&m, &g)
	return m.JSON()
}

func receiptMembers(m *ledger.Members, g *gen.Receipt) {
	if g.DryRun != nil {
		m.Bool("dry_run", *g.DryRun)
	}
	m.Objects("earned", len(g.Earned), func(m *ledger.Members, i int) {
		m.Int("minutes", g.Earned[i].Minutes)
		m.Text("unit", string(g.Earned[i].Unit))
	})
	m.Text("effective", g.Effective)
	m.TextUnlessEmpty("grade", string(deref(g.Grade)))
	m.TextUnlessEmpty("id", deref(g.Id))
	m.Text("kind", string(g.Kind))
	m.Object("log", func(m *ledger.Members) {
		m.Text("leaf_hash", g.Log.LeafHash)
		m.Text("origin", g.Log.Origin)
	})
	m.Objects("postings", len(g.Postings), func(m *ledger.Members, i int) { postingMembers(m, &g.Postings[i]) })
	m.Text("recorded_at", g.RecordedAt)
	optionalInt(m, "refers_to", g.RefersTo)
	if g.RuleSet != nil {
		m.Object("rule_set", func(m *ledger.Members) {
			m.Text("hash", g.RuleSet.Hash)
			m.Text("id", g.RuleSet.Id)
		})
	}
	m.Int("seq", g.Seq)
	m.TextUnlessEmpty("why", deref(g.Why))
}

func postingMembers(m *ledger.Members, g *gen.Posting) {
	m.Text("account", g.Account)
	optionalInt(m, "balance", g.Balance)
	m.Int("minutes", g.Minutes)
	m.TextUnlessEmpty("owner_id", deref(g.OwnerId))
	m.Text("owner_kind", string(g.OwnerKind))
	m.Text("purpose", g.Purpose)
	m.Text("unit", string(g.Unit))
}

func batchJSON(g gen.BatchResult) ([]byte, error) {
	problems, receipts := make([][]byte, len(g.Items)), 1 // the first is room for the rest
	for i, item := range g.Items {
		if item.Problem == nil {
			receipts++
			continue
		}
		var err error
		if problems[i], err = json.Marshal(item.Problem); err != nil {
			return nil, err
		}
	}
	m := ledger.MembersIn(make([]byte, 0, receipts*receiptBytes))
	m.Int("failed", int64(g.Failed))
	m.Objects("items", len(g.Items), func(m *ledger.Members, i int) {
		item := &g.Items[i]
		m.Int("index", int64(item.Index))
		if problems[i] != nil {
			m.Value("problem", problems[i])
		}
		if item.Receipt != nil {
			m.Object("receipt", func(m *ledger.Members) { receiptMembers(m, item.Receipt) })
		}
		m.Text("status", string(item.Status))
	})
	m.Int("recorded", int64(g.Recorded))
	m.Int("refused", int64(g.Refused))
	m.Int("repeated", int64(g.Repeated))
	return m.JSON()
}

func optionalInt(m *ledger.Members, name string, value *int64) {
	if value != nil {
		m.Int(name, *value)
	}
}

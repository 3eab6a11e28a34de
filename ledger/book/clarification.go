package book

import (
	"context"

	"timebank/ledger"
)

// Clarification puts right what an unfounded complaint said of somebody. It stands in their record.
type Clarification struct {
	Volunteer          string
	Entry              *ledger.Seq // that the complaint was about; nil for none
	Finding            string      // what was found, in words that may stand in the record
	Document           string      // where the finding is filed
	Recorder, Approver string
}

// Clarify records a clarification. The actor is an organization that recorded service of the volunteer.
func (b *Book) Clarify(ctx context.Context, by ledger.Actor, key Key, c Clarification) (Receipt, error) {
	if err := by.May(ledger.RoleOrganization); err != nil {
		return Receipt{}, err
	}
	if err := checkID("/volunteer_id", c.Volunteer); err != nil {
		return Receipt{}, err
	}
	if err := ledger.CheckTexts(ledger.Text{Pointer: "/finding", Value: c.Finding, BytesMax: ledger.ReasonBytesMax, Required: true}); err != nil {
		return Receipt{}, err
	}
	if err := checkByTwo(c.Document, c.Recorder, c.Approver); err != nil {
		return Receipt{}, err
	}
	return b.do(ctx, by, key, &clarify{organization: by.Subject, clarification: c})
}

// checkByTwo refuses what is not filed, or not checked by two persons.
func checkByTwo(document, recorder, approver string) error {
	if err := ledger.CheckTexts(
		ledger.Text{Pointer: "/document", Value: document, BytesMax: ledger.ReferenceBytesMax, Required: true},
		ledger.Text{Pointer: "/recorder", Value: recorder, BytesMax: ledger.StaffBytesMax, Required: true},
		ledger.Text{Pointer: "/approver", Value: approver, BytesMax: ledger.StaffBytesMax, Required: true},
	); err != nil {
		return err
	}
	if recorder == approver {
		return &ledger.Invalid{Code: "one_person", Pointer: "/approver", Detail: "two persons check this: recorder and approver differ"}
	}
	return nil
}

type clarify struct {
	organization  string
	clarification Clarification
	served        bool
}

type clarificationDetails struct {
	Volunteer    string `json:"volunteer"`
	Organization string `json:"organization"`
	Finding      string `json:"finding"`
	Document     string `json:"document"`
	Recorder     string `json:"recorder"`
	Approver     string `json:"approver"`
}

func (c *clarify) want(_ *world, n *wants) {
	n.volunteers.add(c.clarification.Volunteer)
	if c.clarification.Entry != nil {
		n.targets.add(*c.clarification.Entry)
	}
}

func (c *clarify) look(ctx context.Context, q selecter, _ *world, _ *wants) error {
	const query = `SELECT EXISTS (SELECT 1 FROM claims_of($1::uuid) WHERE organization = $2::uuid) AS served`
	type servedRow struct {
		Served bool `db:"served"`
	}
	r, err := only(selectAll[servedRow](ctx, q, query, c.clarification.Volunteer, c.organization))
	c.served = r.Served
	return err
}

func (c *clarify) decide(w *world) (decision, error) {
	x := c.clarification
	if w.volunteers[x.Volunteer] == nil || !c.served {
		return decision{}, &ledger.Invalid{Code: "volunteer_unknown", Pointer: "/volunteer_id", Detail: "no such volunteer has served here"}
	}
	if x.Entry != nil {
		if t := w.targets[*x.Entry]; t == nil || t.volunteer != x.Volunteer || t.organization != c.organization {
			return decision{}, &ledger.Invalid{Code: "entry_unknown", Pointer: "/entry", Detail: "the organization recorded no such entry of this volunteer"}
		}
	}
	text, err := encode(clarificationDetails{x.Volunteer, c.organization, x.Finding, x.Document, x.Recorder, x.Approver})
	return decision{effects: []effect{{
		draft:     ledger.Draft{Kind: ledger.KindClarify, Effective: w.today, Refers: x.Entry, Details: text},
		volunteer: x.Volunteer, organization: c.organization,
	}}}, err
}

package book

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/go-json-experiment/json"

	"timebank/ledger"
)

// checkStrays looks for rows that no entry stands behind.
func (v *verifier) checkStrays(ctx context.Context) error {
	counts := struct {
		Claims   int64 `db:"claims"`
		Holds    int64 `db:"holds"`
		Settled  int64 `db:"settled"`
		Carries  int64 `db:"carries"`
		Choices  int64 `db:"choices"`
		Gifts    int64 `db:"gifts"`
		Postings int64 `db:"postings"`
		Hashes   int64 `db:"hashes"`
	}{}
	const query = `
		SELECT (SELECT count(*) FROM claim) AS claims, (SELECT count(*) FROM hold) AS holds, (SELECT count(*) FROM settlement) AS settled,
		       (SELECT count(*) FROM carry) AS carries, (SELECT count(*) FROM choice) AS choices, (SELECT count(*) FROM gift) AS gifts,
		       (SELECT count(*) FROM posting) AS postings, (SELECT count(*) FROM hash) AS hashes`
	if err := v.tx.GetContext(ctx, &counts, query); err != nil {
		return fmt.Errorf("counting rows: %w", err)
	}
	for _, c := range []struct {
		table      string
		have, want int64
	}{
		{"claim", counts.Claims, v.claims}, {"hold", counts.Holds, v.holds}, {"settlement", counts.Settled, v.settled},
		{"posting", counts.Postings, v.report.Postings}, {"carry", counts.Carries, v.carries}, {"choice", counts.Choices, v.chosen}, {"gift", counts.Gifts, v.given},
	} {
		if c.have != c.want {
			v.find(-1, "table %s has %d rows, the entries account for %d", c.table, c.have, c.want)
		}
	}
	const odd = `
		SELECT DISTINCT p.seq FROM posting p LEFT JOIN entry e ON e.seq = p.seq LEFT JOIN account a ON a.id = p.account
		WHERE e.seq IS NULL OR e.effective <> p.effective OR a.id IS NULL OR a.may_owe <> p.may_owe
		ORDER BY p.seq LIMIT 100`
	seqs, err := selectAll[ledger.Seq](ctx, v.tx, odd)
	if err != nil {
		return fmt.Errorf("reading postings: %w", err)
	}
	for _, seq := range seqs {
		v.find(seq, "has a posting with the date or the nature of another, or is missing")
	}
	return nil
}

// registryRow is a row of a registry table as its entry must describe it.
type registryRow struct {
	Seq     ledger.Seq `db:"seq"`
	Kind    string     `db:"kind"`
	Details string     `db:"details"` // of the entry; empty when there is none
	Row     string     `db:"row"`     // the row as JSON
}

// checkRegistry compares every row of the registry with the details of the entry that made it, and looks
// for entries whose row is gone.
func (v *verifier) checkRegistry(ctx context.Context) error {
	const query = `
		WITH kept AS (
			SELECT seq, 'organization' AS kind, to_jsonb(organization)::text AS row FROM organization
			UNION ALL SELECT seq, 'volunteer', (to_jsonb(volunteer) || jsonb_build_object('sealed', encode(sha256(sealed), 'hex')))::text FROM volunteer
			UNION ALL SELECT seq, 'partner', to_jsonb(partner)::text FROM partner
			UNION ALL SELECT seq, 'client', to_jsonb(client)::text FROM client
			UNION ALL SELECT seq, 'client-revoked', to_jsonb(client_revoked)::text FROM client_revoked
			UNION ALL SELECT seq, 'consent', to_jsonb(consent)::text FROM consent
			UNION ALL SELECT seq, 'guardian-consent', to_jsonb(ward_consent)::text FROM ward_consent
			UNION ALL SELECT seq, 'relation', to_jsonb(relation)::text FROM relation
			UNION ALL SELECT seq, 'relation-ended', to_jsonb(relation_end)::text FROM relation_end
			UNION ALL SELECT seq, 'rules-draft', (to_jsonb(rule_draft) || jsonb_build_object('hash', encode(hash, 'hex')))::text FROM rule_draft
			UNION ALL SELECT seq, 'rules-approval', (to_jsonb(rule_approval) || jsonb_build_object('hash', encode(draft, 'hex')))::text FROM rule_approval
			UNION ALL SELECT seq, 'rules', (to_jsonb(rule_set) || jsonb_build_object('hash', encode(hash, 'hex')))::text FROM rule_set
		)
		SELECT coalesce(k.seq, e.seq) AS seq, coalesce(k.kind, e.kind) AS kind,
		       CASE WHEN e.kind = k.kind OR k.kind IS NULL THEN e.details ELSE '' END AS details, coalesce(k.row, '') AS row
		FROM kept k FULL JOIN (SELECT seq, kind, details FROM entry WHERE kind IN
			('organization', 'volunteer', 'partner', 'client', 'client-revoked', 'consent', 'guardian-consent', 'relation', 'relation-ended', 'rules-draft', 'rules-approval', 'rules')) e ON e.seq = k.seq
		ORDER BY 1`
	rows, err := selectAll[registryRow](ctx, v.tx, query)
	if err != nil {
		return fmt.Errorf("reading the registry: %w", err)
	}
	for _, r := range rows {
		switch {
		case r.Details == "":
			v.find(r.Seq, "did not make the %s that is registered under it", r.Kind)
		case r.Row == "":
			v.find(r.Seq, "made a %s that is not registered any more", r.Kind)
		case !sameRegistration(r):
			v.find(r.Seq, "made a %s that is registered otherwise", r.Kind)
		}
	}
	return v.checkSealed(ctx)
}

// sameRegistration compares a row with details, field by field, as each kind writes them.
func sameRegistration(r registryRow) bool {
	var row struct {
		ID, Name, Kind, District, Street, Community, Grid, Guardian, Sealed, Role, Subject, Label string
		ExternalID                                                                                string   `json:"external_id"`
		Roles                                                                                     []string `json:"roles"`
		Client                                                                                    string   `json:"client"`
		Volunteer, Partner                                                                        string
		MinutesMax                                                                                ledger.Minutes `json:"minutes_max"`
		Until, Hash, Body                                                                         string
		EffectiveFrom                                                                             string      `json:"effective_from"`
		Approval                                                                                  *ledger.Seq `json:"approval"`
		Relative, Organization, Document, Recorder, Approver                                      string
		Relation                                                                                  ledger.Seq `json:"relation"`
		Ward, Since                                                                               string
	}
	if err := json.Unmarshal([]byte(r.Row), &row, json.MatchCaseInsensitiveNames(true)); err != nil {
		return false
	}
	var want any
	switch ledger.Kind(r.Kind) {
	case ledger.KindOrganization:
		want = organizationDetails{row.ID, row.Name, row.ExternalID, ledger.OrganizationKind(row.Kind),
			ledger.Place{District: row.District, Street: row.Street, Community: row.Community, Grid: row.Grid}}
	case ledger.KindVolunteer:
		roles := make([]ledger.VolunteerRole, len(row.Roles))
		for i, x := range row.Roles {
			roles[i] = ledger.VolunteerRole(x)
		}
		want = volunteerDetails{row.ID, row.ExternalID, row.Guardian, roles, row.Sealed}
	case ledger.KindPartner:
		want = partnerDetails{row.ID, row.Name, row.ExternalID}
	case ledger.KindClient:
		want = clientDetails{row.ID, ledger.Role(row.Role), row.Subject, row.Label}
	case ledger.KindClientRevoke:
		want = revocationDetails{row.Client}
	case ledger.KindConsent:
		want = consentDetails{row.Volunteer, row.Partner, row.MinutesMax, row.Until}
	case ledger.KindRules:
		var d rulesDetails
		if json.Unmarshal([]byte(r.Details), &d) != nil || ledger.Hash(sha256.Sum256([]byte(row.Body))).String() != row.Hash {
			return false
		}
		want = rulesDetails{d.ID, row.Hash, row.EffectiveFrom, row.Body, row.Approval}
	case ledger.KindWard:
		want = wardConsentDetails{row.Ward, row.Guardian, row.Since, row.Until}
	case ledger.KindRelation:
		want = relationDetails{row.Volunteer, row.Relative, ledger.RelationKind(row.Kind), row.Organization, row.Document, row.Recorder, row.Approver}
	case ledger.KindRelationEnd:
		want = relationEndDetails{row.Relation}
	case ledger.KindRulesDraft:
		var d rulesDetails
		if json.Unmarshal([]byte(r.Details), &d) != nil || ledger.Hash(sha256.Sum256([]byte(row.Body))).String() != row.Hash {
			return false
		}
		want = rulesDetails{d.ID, row.Hash, d.EffectiveFrom, row.Body, nil}
	case ledger.KindRulesApprove:
		var d approvalDetails
		if json.Unmarshal([]byte(r.Details), &d) != nil {
			return false
		}
		want = approvalDetails{row.Hash, d.Draft}
	}
	text, err := encode(want)
	return err == nil && string(text) == r.Details
}

// checkSealed opens every person, so that a key or a sealed row that was changed is found.
func (v *verifier) checkSealed(ctx context.Context) error {
	const query = `
		SELECT v.id, v.seq, coalesce(v.external_id, '') AS external_id, coalesce(v.guardian::text, '') AS guardian, v.roles, v.sealed, k.wrapped
		FROM volunteer v JOIN person_key k ON k.volunteer = v.id ORDER BY v.seq`
	rows, err := selectAll[volunteerRow](ctx, v.tx, query)
	if err != nil {
		return fmt.Errorf("reading volunteers: %w", err)
	}
	for _, r := range rows {
		if _, err := r.volunteer(v.b.keys.Person); err != nil {
			v.find(r.Seq, "registered a volunteer whose sealed row does not open")
		}
	}
	return nil
}

// checkAnswers checks that what was answered is what was recorded, and that no answer is missing: every
// entry that somebody asked for, but those that came before another under the same key.
func (v *verifier) checkAnswers(ctx context.Context) error {
	const wrong = `
		SELECT a.seq FROM answer a LEFT JOIN entry e ON e.seq = a.seq
		WHERE a.seq IS NOT NULL AND (e.seq IS NULL
		      OR coalesce(e.by_client, '00000000-0000-0000-0000-000000000000') <> a.client OR e.recorded <> a.recorded)
		ORDER BY a.seq LIMIT 100`
	const missing = `
		SELECT e.seq FROM entry e LEFT JOIN answer a ON a.seq = e.seq
		WHERE a.seq IS NULL AND e.kind <> 'hold-expired' ORDER BY e.seq LIMIT 100`
	for _, q := range []struct{ query, what string }{
		{wrong, "is the answer to a key that did not ask for it"}, {missing, "was asked for under a key that is not in the book any more"},
	} {
		seqs, err := selectAll[ledger.Seq](ctx, v.tx, q.query)
		if err != nil {
			return fmt.Errorf("reading answers: %w", err)
		}
		for _, seq := range seqs {
			v.find(seq, "%s", q.what)
		}
	}
	return nil
}

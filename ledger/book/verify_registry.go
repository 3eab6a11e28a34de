package book

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
	"golang.org/x/mod/sumdb/tlog"

	"timebank/ledger"
)

// checkStrays looks for rows that no entry stands behind.
func (v *verifier) checkStrays(ctx context.Context, found *findings) error {
	registered := map[string]ledger.Kind{"organization": ledger.KindOrganization, "volunteer": ledger.KindVolunteer, "person_key": ledger.KindVolunteer,
		"partner": ledger.KindPartner, "client": ledger.KindClient, "client_revoked": ledger.KindClientRevoke, "consent": ledger.KindConsent,
		"ward_consent": ledger.KindWard, "relation": ledger.KindRelation, "relation_end": ledger.KindRelationEnd,
		"rule_draft": ledger.KindRulesDraft, "rule_approval": ledger.KindRulesApprove, "rule_set": ledger.KindRules}
	want := map[string]int64{"entry": v.report.Entries, "claim": v.claims, "hold": v.holds, "settlement": v.settled, "posting": v.report.Postings,
		"carry": v.carries, "choice": v.chosen, "gift": v.given, "hash": tlog.StoredHashCount(int64(v.next))}
	for table, kind := range registered {
		want[table] = v.kinds[kind]
	}
	v.aside.rows["entry"] = v.of
	for _, table := range slices.Sorted(maps.Keys(want)) {
		if have := v.aside.rows[table]; have != want[table] {
			found.find(-1, "table %s has %d rows, the entries account for %d", table, have, want[table])
		}
	}
	if v.aside.rows["posting"] == v.report.Postings { // each was read with its entry, and compared with it
		return nil
	}
	const odd = `SELECT DISTINCT coalesce(p.seq, -1) AS seq FROM posting p LEFT JOIN entry e ON e.seq = p.seq WHERE e.seq IS NULL ORDER BY seq LIMIT 100`
	seqs, err := selectAll[ledger.Seq](ctx, v.tx, odd)
	if err != nil {
		return fmt.Errorf("reading postings: %w", err)
	}
	for _, seq := range seqs {
		if f := (Finding{seq, oddPosting}); !slices.Contains(v.findings.list, f) { // beside other entries of its page it was seen
			found.find(f.Seq, "%s", f.What)
		}
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
func (a *aside) checkRegistry(ctx context.Context) error {
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
		SELECT coalesce(k.seq, e.seq, -1) AS seq, coalesce(k.kind, e.kind) AS kind,
		       CASE WHEN e.kind = k.kind OR k.kind IS NULL THEN coalesce(e.details, '') ELSE '' END AS details, coalesce(k.row, '') AS row
		FROM kept k FULL JOIN (SELECT seq, kind, details FROM entry WHERE kind IN
			('organization', 'volunteer', 'partner', 'client', 'client-revoked', 'consent', 'guardian-consent', 'relation', 'relation-ended', 'rules-draft', 'rules-approval', 'rules')) e ON e.seq = k.seq
		ORDER BY 1`
	rows, err := selectAll[registryRow](ctx, a.tx, query)
	if err != nil {
		return fmt.Errorf("reading the registry: %w", err)
	}
	for _, r := range rows {
		switch {
		case r.Details == "":
			a.registry.find(r.Seq, "did not make the %s that is registered under it", r.Kind)
		case r.Row == "":
			a.registry.find(r.Seq, "made a %s that is not registered any more", r.Kind)
		case !sameRegistration(r):
			a.registry.find(r.Seq, "made a %s that is registered otherwise", r.Kind)
		}
	}
	if err := a.checkRelations(ctx); err != nil {
		return err
	}
	return a.checkSealed(ctx)
}

// checkRelations checks that each relation of a pair follows the end of the one before.
func (a *aside) checkRelations(ctx context.Context) error {
	const query = `
		SELECT coalesce(seq, -1) FROM (SELECT seq, after, lag(seq) OVER (PARTITION BY least(volunteer, relative), greatest(volunteer, relative) ORDER BY seq) AS before
			FROM relation) r
		WHERE after IS DISTINCT FROM before ORDER BY 1 LIMIT 100`
	seqs, err := selectAll[ledger.Seq](ctx, a.tx, query)
	if err != nil {
		return fmt.Errorf("reading relations: %w", err)
	}
	for _, seq := range seqs {
		a.registry.find(seq, "does not follow the relation of the same two that was before it")
	}
	return nil
}

// mayBeNull are the columns of the registry that need have no value. They are never an empty text.
var mayBeNull = map[string]bool{"external_id": true, "guardian": true, "subject": true, "after": true, "approval": true, "approved_by": true, "activated_by": true}

// wellFilled reports whether a row has values where it must, and none that stand for nothing.
func wellFilled(row []byte) bool {
	var columns map[string]any
	if err := json.Unmarshal(row, &columns); err != nil {
		return false
	}
	for name, value := range columns {
		if value == nil && !mayBeNull[name] || value == "" && mayBeNull[name] {
			return false
		}
	}
	return true
}

// sameRegistration compares a row with details, field by field, as each kind writes them.
func sameRegistration(r registryRow) bool {
	if !wellFilled([]byte(r.Row)) {
		return false
	}
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
	return err == nil && string(text) == string(unbound([]byte(r.Details)))
}

// checkSealed opens every person, so that a key or a sealed row that was changed is found.
func (a *aside) checkSealed(ctx context.Context) error {
	const query = `
		SELECT coalesce(v.id::text, '') AS id, coalesce(v.seq, -1) AS seq, coalesce(v.external_id, '') AS external_id, coalesce(v.guardian::text, '') AS guardian, v.roles, v.sealed, k.wrapped
		FROM volunteer v LEFT JOIN person_key k ON k.volunteer = v.id ORDER BY 2`
	rows, err := selectAll[volunteerRow](ctx, a.tx, query)
	if err != nil {
		return fmt.Errorf("reading volunteers: %w", err)
	}
	for _, r := range rows {
		if _, err := r.volunteer(a.book.keys.Person); err != nil {
			a.registry.find(r.Seq, "registered a volunteer whose sealed row does not open")
		}
	}
	return nil
}

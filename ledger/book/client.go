package book

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"timebank/ledger"
)

// System is the actor of the installation itself: whoever holds its keys and database may issue the
// first operator's credentials.
var System = ledger.Actor{Role: ledger.RoleOperator}

// IssueClient makes credentials for a role. The actor is the operator; [Book.ClientSecret] gives the
// secret of the client named by the receipt.
func (b *Book) IssueClient(ctx context.Context, by ledger.Actor, key Key, c Client) (Receipt, error) {
	if err := by.May(ledger.RoleOperator); err != nil {
		return Receipt{}, err
	}
	if !slices.Contains(ledger.Roles, c.Role) {
		return Receipt{}, &ledger.Invalid{Code: "role_unknown", Pointer: "/role", Detail: fmt.Sprintf("a role is one of %v", ledger.Roles)}
	}
	needsSubject := c.Role == ledger.RoleOrganization || c.Role == ledger.RolePartner || c.Role == ledger.RoleVolunteer
	if needsSubject != (c.Subject != "") {
		return Receipt{}, &ledger.Invalid{Code: "subject_mismatch", Pointer: "/subject_id",
			Detail: "organization, partner and volunteer clients name whom they act for; operator, policy officer and auditor name nobody"}
	}
	if needsSubject {
		if err := checkID("/subject_id", c.Subject); err != nil {
			return Receipt{}, err
		}
	}
	if err := ledger.CheckTexts(ledger.Text{Pointer: "/label", Value: c.Label, BytesMax: ledger.ReferenceBytesMax}); err != nil {
		return Receipt{}, err
	}
	return b.do(ctx, by, key, &issueClient{c})
}

type issueClient struct{ c Client }

func (c *issueClient) want(_ *world, n *wants) {
	switch c.c.Role {
	case ledger.RoleOrganization:
		n.organizations.add(c.c.Subject)
	case ledger.RolePartner:
		n.partners.add(c.c.Subject)
	case ledger.RoleVolunteer:
		n.volunteers.add(c.c.Subject)
	}
}

func (c *issueClient) known(w *world) bool {
	switch c.c.Role {
	case ledger.RoleOrganization:
		return w.organizations[c.c.Subject] != ""
	case ledger.RolePartner:
		return w.partners[c.c.Subject]
	case ledger.RoleVolunteer:
		return w.volunteers[c.c.Subject] != nil
	default:
		return true
	}
}

type clientDetails struct {
	ID      string      `json:"id"`
	Role    ledger.Role `json:"role"`
	Subject string      `json:"subject,omitempty"`
	Label   string      `json:"label,omitempty"`
}

func (c *issueClient) decide(w *world) (decision, error) {
	if !c.known(w) {
		return decision{}, &ledger.Invalid{Code: "subject_unknown", Pointer: "/subject_id", Detail: fmt.Sprintf("no such %s is registered", c.c.Role)}
	}
	u, err := uuid.NewV7()
	if err != nil {
		return decision{}, fmt.Errorf("making an id: %w", err)
	}
	id := u.String()
	details, err := encode(clientDetails{id, c.c.Role, c.c.Subject, c.c.Label})
	if err != nil {
		return decision{}, err
	}
	e := effect{
		draft: ledger.Draft{Kind: ledger.KindClient, Effective: w.today, Details: details},
		rows: func(seq ledger.Seq) []row {
			const insert = `INSERT INTO client (id, seq, role, subject, label) VALUES ($1, $2, $3, nullif($4, '')::uuid, $5)`
			return []row{{insert, []any{id, seq, string(c.c.Role), c.c.Subject, c.c.Label}}}
		},
		learned: func(w *world, _ ledger.Seq) { w.clients[id] = false },
	}
	c.about(&e)
	return decision{id: id, effects: []effect{e}}, nil
}

func (c *issueClient) about(e *effect) {
	switch c.c.Role {
	case ledger.RoleOrganization:
		e.organization = c.c.Subject
	case ledger.RolePartner:
		e.partner = c.c.Subject
	case ledger.RoleVolunteer:
		e.volunteer = c.c.Subject
	}
}

// RevokeClient ends credentials. Tokens issued before are refused within seconds.
func (b *Book) RevokeClient(ctx context.Context, by ledger.Actor, key Key, id string) (Receipt, error) {
	if err := by.May(ledger.RoleOperator); err != nil {
		return Receipt{}, err
	}
	if checkID("/id", id) != nil {
		return Receipt{}, ledger.ErrNotFound
	}
	return b.do(ctx, by, key, &revokeClient{id})
}

type revokeClient struct{ id string }

func (c *revokeClient) want(_ *world, n *wants) { n.clients.add(c.id) }

type revocationDetails struct {
	ID string `json:"id"`
}

func (c *revokeClient) decide(w *world) (decision, error) {
	revoked, ok := w.clients[c.id]
	if !ok {
		return decision{}, ledger.ErrNotFound
	}
	if revoked {
		return decision{}, &ledger.Refusal{Code: "already_revoked", Detail: "the client was revoked before"}
	}
	details, err := encode(revocationDetails{c.id})
	if err != nil {
		return decision{}, err
	}
	return decision{id: c.id, effects: []effect{{
		draft: ledger.Draft{Kind: ledger.KindClientRevoke, Effective: w.today, Details: details},
		rows: func(seq ledger.Seq) []row {
			return []row{{`INSERT INTO client_revoked (client, seq) VALUES ($1, $2)`, []any{c.id, seq}}}
		},
		learned: func(w *world, _ ledger.Seq) { w.clients[c.id] = true },
	}}}, nil
}

func (w *world) fetchClients(ctx context.Context, q selecter, n *wants) error {
	if len(n.clients.list) == 0 {
		return nil
	}
	const query = `
		SELECT c.id, r.client IS NOT NULL AS revoked FROM client c LEFT JOIN client_revoked r ON r.client = c.id
		WHERE c.id = ANY ($1::uuid[])`
	type revokedRow struct {
		ID      string `db:"id"`
		Revoked bool   `db:"revoked"`
	}
	rows, err := selectAll[revokedRow](ctx, q, query, pq.Array(n.clients.list))
	if err != nil {
		return fmt.Errorf("reading clients: %w", err)
	}
	for _, r := range rows {
		w.clients[r.ID] = r.Revoked
	}
	return nil
}

// Client reads one client, for whoever checks its token or its secret.
func (b *Book) Client(ctx context.Context, id string) (Client, error) {
	if checkID("/id", id) != nil {
		return Client{}, ledger.ErrNotFound
	}
	return only(b.clients(ctx, id, ListFilter{AfterSeq: -1, Limit: 1}))
}

// Clients lists clients in the order of issue.
func (b *Book) Clients(ctx context.Context, by ledger.Actor, f ListFilter) ([]Client, error) {
	if err := by.May(ledger.RoleOperator, ledger.RoleAuditor); err != nil {
		return nil, err
	}
	return b.clients(ctx, "", f)
}

func (b *Book) clients(ctx context.Context, id string, f ListFilter) ([]Client, error) {
	const query = `
		SELECT c.id, c.seq, c.role, coalesce(c.subject::text, '') AS subject, c.label, r.client IS NOT NULL AS revoked, e.recorded
		FROM client c JOIN entry e ON e.seq = c.seq LEFT JOIN client_revoked r ON r.client = c.id
		WHERE ($1 = '' OR c.id = nullif($1, '')::uuid) AND c.seq > $2
		ORDER BY c.seq LIMIT $3`
	type clientRow struct {
		ID       string      `db:"id"`
		Seq      ledger.Seq  `db:"seq"`
		Role     ledger.Role `db:"role"`
		Subject  string      `db:"subject"`
		Label    string      `db:"label"`
		Revoked  bool        `db:"revoked"`
		Recorded time.Time   `db:"recorded"`
	}
	rows, err := selectAll[clientRow](ctx, b.db, query, id, f.AfterSeq, f.Limit)
	if err != nil {
		return nil, fmt.Errorf("reading clients: %w", err)
	}
	found := make([]Client, len(rows))
	for i, r := range rows {
		found[i] = Client{r.ID, r.Role, r.Subject, r.Label, r.Revoked, r.Seq, r.Recorded.UTC()}
	}
	return found, nil
}

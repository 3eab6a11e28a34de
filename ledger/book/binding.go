package book

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"timebank/ledger"
)

// binding is what the book keeps beside an entry that neither its leaf nor its details tell. Its hash is the
// last member of the details, to which the leaf commits: whoever changes any of it is found.
type binding struct {
	Organization string         `json:"organization"` // whom the entry is listed under
	Volunteer    string         `json:"volunteer"`
	Partner      string         `json:"partner"`
	Accounts     []boundAccount `json:"accounts"` // that were opened with it
	Reposts      [2]ledger.Seq  `json:"reposts"`  // the corrected claims whose shift and reference it has; -1 for none
	Client       string         `json:"client"`   // whose key it answers; empty when it answers none
	Key          string         `json:"key"`
	Request      string         `json:"request"`
	Subject      string         `json:"subject"`
}

type boundAccount struct {
	ID      string         `json:"id"`
	Purpose ledger.Purpose `json:"purpose"`
}

// boundAccounts gives accounts in the one order in which they are bound.
func boundAccounts(accounts []ledger.Account) []boundAccount {
	bound := []boundAccount{}
	for _, a := range accounts {
		bound = append(bound, boundAccount{a.ID.String(), a.Purpose})
	}
	slices.SortFunc(bound, func(a, b boundAccount) int { return cmp.Compare(a.ID, b.ID) })
	return bound
}

// asked is the key that an entry answers.
type asked struct {
	name    answerKey
	request ledger.Hash
	subject string
}

func (b *binding) answers(a *asked) {
	if a != nil {
		b.Client, b.Key, b.Request, b.Subject = a.name.client, a.name.key, a.request.String(), a.subject
	}
}

// bindingOf gives what is bound to an entry as it is made.
func bindingOf(r *Record, e effect, a *asked) binding {
	b := binding{Organization: r.Organization, Volunteer: r.Volunteer, Partner: r.Partner, Accounts: boundAccounts(e.opens), Reposts: [2]ledger.Seq{-1, -1}}
	if e.claim != nil {
		b.Reposts = [2]ledger.Seq{ledger.Seq(e.claim.repostsShift), ledger.Seq(e.claim.repostsReference)}
	}
	b.answers(a)
	return b
}

// bindingBytes has room for the binding of an entry that opens no accounts.
const bindingBytes = 512

// text gives what encode gives, without reflection: every entry has one. It is written into the room, if it fits.
func (b binding) text(room []byte) ([]byte, error) {
	m := ledger.MembersIn(room)
	m.Text("organization", b.Organization)
	m.Text("volunteer", b.Volunteer)
	m.Text("partner", b.Partner)
	m.Objects("accounts", len(b.Accounts), func(m *ledger.Members, i int) {
		m.Text("id", b.Accounts[i].ID)
		m.Text("purpose", string(b.Accounts[i].Purpose))
	})
	m.Ints("reposts", int64(b.Reposts[0]), int64(b.Reposts[1]))
	m.Text("client", b.Client)
	m.Text("key", b.Key)
	m.Text("request", b.Request)
	m.Text("subject", b.Subject)
	text, err := m.JSON()
	if err != nil {
		return nil, fmt.Errorf("writing a binding: %w", err)
	}
	return text, nil
}

const (
	boundMember = `"bound":"`
	boundBytes  = len(boundMember) + 2*sha256.Size + len(`"}`)
)

// bind appends the hash of a binding to details.
func (b binding) bind(details []byte) ([]byte, error) {
	text, err := b.text(make([]byte, 0, bindingBytes))
	if err != nil {
		return nil, err
	}
	open, ok := bytes.CutSuffix(details, []byte("}"))
	if !ok {
		return nil, fmt.Errorf("details are no object: %.40q", details)
	}
	sum := sha256.Sum256(text)
	bound := append(make([]byte, 0, len(details)+boundBytes), open...)
	if len(open) != 1 {
		bound = append(bound, ',')
	}
	return append(hex.AppendEncode(append(bound, boundMember...), sum[:]), `"}`...), nil
}

// binds reports whether details are such that bind made them, without making them again. The room is for the text of the binding.
func (b binding) binds(details, room []byte) bool {
	start := len(details) - boundBytes
	if start <= 0 || !bytes.HasPrefix(details[start:], []byte(boundMember)) || !bytes.HasSuffix(details, []byte(`"}`)) {
		return false
	}
	text, err := b.text(room)
	if err != nil {
		return false
	}
	sum := sha256.Sum256(text)
	var digits [2 * sha256.Size]byte
	hex.Encode(digits[:], sum[:])
	open, comma := bytes.CutSuffix(details[:start], []byte(","))
	return bytes.Equal(details[start+len(boundMember):len(details)-2], digits[:]) && comma == (len(open) != 1)
}

// unbound gives details without the member that bind appended.
func unbound(details []byte) []byte {
	if start := len(details) - boundBytes; start > 0 && bytes.HasPrefix(details[start:], []byte(boundMember)) {
		return append(slices.Clone(bytes.TrimSuffix(details[:start], []byte(","))), '}')
	}
	return details
}

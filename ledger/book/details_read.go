package book

import (
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"timebank/ledger"
	"timebank/policy"
)

// Details are written in one way only, so those of the kinds that a book is full of are read member by member, in the
// order in which they are written. What does not come in this order, has an escape in a text, or is in any other way
// unlike what is written is left to the JSON reader: what is read is the same.

// members reads the members of details from the left.
type members struct {
	rest string
	ok   bool
}

func readMembers(details []byte) *members {
	return &members{string(details), utf8.Valid(details)}
}

// must takes what must come next.
func (m *members) must(next string) {
	if !m.may(next) {
		m.ok = false
	}
}

// may takes what may come next, and reports whether it did.
func (m *members) may(next string) (came bool) {
	if m.rest, came = strings.CutPrefix(m.rest, next); came {
		return m.ok
	}
	return false
}

// text reads a text without escapes.
func (m *members) text() string {
	if len(m.rest) == 0 || m.rest[0] != '"' {
		m.ok = false
		return ""
	}
	for i := 1; i < len(m.rest); i++ {
		switch c := m.rest[i]; {
		case c == '"':
			s := m.rest[1:i]
			m.rest = m.rest[i+1:]
			return s
		case c == '\\' || c < ' ':
			m.ok = false
			return ""
		}
	}
	m.ok = false
	return ""
}

// wholeDigitsMax keeps a number far from where 64 bits end.
const wholeDigitsMax = 18

// whole reads a whole number as it is written: without a plus, a fraction, an exponent or a nought before it.
func (m *members) whole() (n int64) {
	digits, sign := m.rest, int64(1)
	if strings.HasPrefix(digits, "-") {
		digits, sign = digits[1:], -1
	}
	i := 0
	for ; i < len(digits) && digits[i] >= '0' && digits[i] <= '9'; i++ {
		n = n*10 + int64(digits[i]-'0')
		if i == wholeDigitsMax {
			break
		}
	}
	if i == 0 || i == wholeDigitsMax || digits[0] == '0' && (i > 1 || sign < 0) {
		m.ok = false
	}
	m.rest = digits[i:]
	return sign * n
}

func (m *members) minutes() ledger.Minutes { return ledger.Minutes(m.whole()) }

func (m *members) yes() bool {
	if m.may("true") {
		return true
	}
	m.must("false")
	return false
}

func (m *members) date() ledger.Date {
	d, err := ledger.ParseDate(m.text())
	m.ok = m.ok && err == nil
	return d
}

// ended reports whether all was read, up to the binding that ends all details.
func (m *members) ended() bool {
	m.must(`,"bound":`)
	m.text()
	m.must(`}`)
	return m.ok && m.rest == ""
}

// optional are members that are left out when they are zero.
func optional[T any](m *members, name string, into *T, read func() T) {
	if m.may(name) {
		*into = read()
	}
}

// words reads a list of texts that has some.
func words[T ~string](m *members) (list []T) {
	m.must(`[`)
	list = append(list, T(m.text()))
	for m.may(`,`) {
		list = append(list, T(m.text()))
	}
	m.must(`]`)
	return list
}

// readClaim reads the details of a claim. Its steps may have a room.
func readClaim(details []byte, d *claimDetails) error {
	if claimAsWritten(details, d) {
		return nil
	}
	*d = claimDetails{}
	return json.Unmarshal(details, d)
}

func claimAsWritten(details []byte, d *claimDetails) bool {
	m := readMembers(details)
	m.must(`{"organization":`)
	d.Organization = m.text()
	m.must(`,"volunteer":`)
	d.Volunteer = m.text()
	m.must(`,"activity":`)
	d.Activity = m.text()
	optional(m, `,"service":`, &d.Service, m.text)
	optional(m, `,"class":`, &d.Class, m.text)
	optional(m, `,"position":`, &d.Position, m.text)
	optional(m, `,"emergency_level":`, &d.Emergency, m.int)
	optional(m, `,"start":`, &d.Start, m.text)
	optional(m, `,"end":`, &d.End, m.text)
	optional(m, `,"reference":`, &d.Reference, m.text)
	m.evidence(&d.Evidence)
	m.claimFacts(&d.Facts)
	m.must(`,"grade":`)
	d.Grade = gradeOf([]byte(m.text()))
	d.Steps = m.steps(d.Steps)
	return m.ended()
}

func (m *members) int() int { return int(m.whole()) }

func (m *members) evidence(e *evidenceDetails) {
	m.must(`,"evidence":{`)
	if m.may(`"check_in":`) {
		e.CheckIn = m.text()
		m.must(`,`)
	}
	if m.may(`"check_out":`) {
		e.CheckOut = m.text()
		m.must(`,`)
	}
	m.must(`"beneficiary_confirmed":`)
	e.Beneficiary = m.yes()
	optional(m, `,"sheet":`, &e.Sheet, m.text)
	optional(m, `,"recorder":`, &e.Recorder, m.text)
	optional(m, `,"approver":`, &e.Approver, m.text)
	optional(m, `,"second_approver":`, &e.SecondApprover, m.text)
	optional(m, `,"authority":`, &e.Authority, m.text)
	optional(m, `,"remote":`, &e.Remote, m.yes)
	optional(m, `,"satisfaction":`, &e.Satisfaction, m.int)
	m.must(`}`)
}

func (m *members) claimFacts(f *policy.ClaimFacts) {
	m.must(`,"facts":{"age":`)
	f.Age = m.int()
	if m.may(`,"roles":`) {
		f.Roles = words[ledger.VolunteerRole](m)
	}
	m.must(`,"organization_kind":`)
	f.OrganizationKind = ledger.OrganizationKind(m.text())
	optional(m, `,"service":`, &f.Service, m.text)
	optional(m, `,"class":`, &f.Class, m.text)
	optional(m, `,"emergency":`, &f.Emergency, m.int)
	m.must(`,"minutes":`)
	f.Minutes = m.minutes()
	m.must(`,"clock_minutes":`)
	f.ClockMinutes = m.minutes()
	m.must(`,"checked_in_out":`)
	f.CheckedInOut = m.yes()
	m.must(`,"beneficiary_confirmed":`)
	f.BeneficiaryConfirmed = m.yes()
	m.must(`,"sheet_on_file":`)
	f.SheetOnFile = m.yes()
	m.must(`,"two_persons":`)
	f.TwoPersons = m.yes()
	optional(m, `,"second_approver":`, &f.SecondApprover, m.yes)
	optional(m, `,"authority_approved":`, &f.AuthorityApproved, m.yes)
	optional(m, `,"remote":`, &f.Remote, m.yes)
	optional(m, `,"guardian_consent":`, &f.GuardianConsent, m.yes)
	if m.may(`,"chosen":`) {
		f.Chosen = words[string](m)
	}
	m.past(&f.Past)
	m.must(`,"served_on":`)
	f.ServedOn = m.date()
	m.must(`,"today":`)
	f.Today = m.date()
	m.must(`}`)
}

func (m *members) past(p *policy.Past) {
	m.must(`,"care_on_day":`)
	p.CareOnDay = m.minutes()
	m.must(`,"youth_on_day":`)
	p.YouthOnDay = m.minutes()
	optional(m, `,"minutes_on_day":`, &p.MinutesOnDay, m.minutes)
	optional(m, `,"care_in_month":`, &p.CareInMonth, m.minutes)
	optional(m, `,"youth_in_month":`, &p.YouthInMonth, m.minutes)
	optional(m, `,"care_in_year":`, &p.CareInYear, m.minutes)
	optional(m, `,"youth_in_year":`, &p.YouthInYear, m.minutes)
	optional(m, `,"care_stored":`, &p.CareStored, m.minutes)
	optional(m, `,"care_carried":`, &p.CareCarried, m.whole)
	optional(m, `,"youth_carried":`, &p.YouthCarried, m.whole)
}

// steps appends the steps of a decision.
func (m *members) steps(steps []policy.Step) []policy.Step {
	m.must(`,"steps":[`)
	for more := !m.may(`]`); more && m.ok; {
		var s policy.Step
		m.must(`{"rule":`)
		s.Rule = m.text()
		m.must(`,"effect":`)
		s.Effect = m.text()
		if m.may(`,"unit":`) {
			s.Unit = unitOf([]byte(m.text()))
		}
		m.must(`,"in":`)
		s.In = m.minutes()
		m.must(`,"out":`)
		s.Out = m.minutes()
		optional(m, `,"before":`, &s.Before, m.minutes)
		optional(m, `,"rate":`, &s.Rate, m.text)
		optional(m, `,"carried":`, &s.Carried, m.whole)
		optional(m, `,"rest":`, &s.Rest, m.whole)
		m.must(`}`)
		if steps, more = append(steps, s), m.may(`,`); !more {
			m.must(`]`)
		}
	}
	return steps
}

// stepsUsual is how many steps most decisions have, or a few more.
const stepsUsual = 4

// readHold reads the details of a hold. plainly says that they are as they are written, with no member but these.
func readHold(details []byte, d *holdDetails) (plainly bool, err error) {
	if holdAsWritten(details, d) {
		return true, nil
	}
	*d = holdDetails{}
	return false, json.Unmarshal(details, d)
}

func holdAsWritten(details []byte, d *holdDetails) bool {
	m := readMembers(details)
	m.must(`{"redemption":`)
	d.Redemption = m.text()
	m.must(`,"volunteer":`)
	d.Volunteer = m.text()
	m.must(`,"partner":`)
	d.Partner = m.text()
	m.must(`,"service":`)
	d.Service = m.text()
	optional(m, `,"for":`, &d.For, m.text)
	optional(m, `,"care_at":`, &d.CareAt, m.text)
	m.must(`,"consent":`)
	d.Consent = ledger.Seq(m.whole())
	m.must(`,"ends_at":`)
	d.EndsAt = m.text()
	m.holdFacts(&d.Facts)
	d.Steps = m.steps(make([]policy.Step, 0, stepsUsual))
	return m.ended()
}

func (m *members) holdFacts(f *policy.HoldFacts) {
	m.must(`,"facts":{"age":`)
	f.Age = m.int()
	m.must(`,"minutes":`)
	f.Minutes = m.minutes()
	m.must(`,"available":`)
	f.Available = m.minutes()
	m.must(`,"service":`)
	f.Service = m.text()
	optional(m, `,"for_relative":`, &f.ForRelative, m.yes)
	optional(m, `,"relation":`, &f.Relation, func() ledger.RelationKind { return ledger.RelationKind(m.text()) })
	optional(m, `,"relative_age":`, &f.RelativeAge, m.int)
	optional(m, `,"redeemed_in_month":`, &f.RedeemedInMonth, m.minutes)
	optional(m, `,"open_holds":`, &f.OpenHolds, m.int)
	optional(m, `,"booked":`, &f.Booked, m.yes)
	optional(m, `,"lead_minutes":`, &f.LeadMinutes, m.whole)
	optional(m, `,"urgent":`, &f.Urgent, m.yes)
	optional(m, `,"partner_strikes":`, &f.PartnerStrikes, m.int)
	optional(m, `,"volunteer_strikes":`, &f.VolunteerStrikes, m.int)
	m.must(`,"today":`)
	f.Today = m.date()
	m.must(`}`)
}

// readSettlement reads the details of a settlement.
func readSettlement(details []byte, d *settlementDetails) error {
	if settlementAsWritten(details, d) {
		return nil
	}
	*d = settlementDetails{}
	return json.Unmarshal(details, d)
}

func settlementAsWritten(details []byte, d *settlementDetails) bool {
	m := readMembers(details)
	m.must(`{"redemption":`)
	d.Redemption = m.text()
	m.must(`,"volunteer":`)
	d.Volunteer = m.text()
	m.must(`,"partner":`)
	d.Partner = m.text()
	m.must(`,"held":`)
	d.Held = m.minutes()
	m.must(`,"given":`)
	d.Given = m.minutes()
	return m.ended()
}

package ledger

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The lengths of texts, in bytes of UTF-8. Names of Chinese organizations run to forty characters of
// three bytes; the rest is generous for people and far below the 65,535 bytes of a leaf.
const (
	NameBytesMax      = 300
	ActivityBytesMax  = 300
	ReferenceBytesMax = 120
	ReasonBytesMax    = 1000
	StaffBytesMax     = 120
	KeyBytesMax       = 120 // an idempotency key
)

// Bounds of what a claim grades in whole numbers.
const (
	EmergencyLevelMax = 4 // the lightest; 1 is the gravest, as the Emergency Response Law counts
	SatisfactionMax   = 5
)

// Grade tells how well a claim is founded: A is best.
type Grade string

// The grades of evidence, best first.
const (
	GradeA Grade = "A" // check-in and check-out, confirmed by the person helped, recorder and approver differ
	GradeB Grade = "B" // the same without the person helped
	GradeC Grade = "C" // a signed paper sheet on file, recorder and approver differ
	GradeD Grade = "D" // the organization's word alone
)

// Grades lists the grades, best first.
var Grades = []Grade{GradeA, GradeB, GradeC, GradeD}

// Evidence is what an organization shows for a claim. The rule set turns it into a [Grade].
type Evidence struct {
	CheckIn     *Clock `json:"check_in,omitempty"`  // as the volunteer signed in at the place
	CheckOut    *Clock `json:"check_out,omitempty"` // as the volunteer signed out
	Beneficiary bool   `json:"beneficiary_confirmed,omitempty"`
	Sheet       string `json:"sheet,omitempty"`    // where the signed sheet is filed
	Recorder    string `json:"recorder,omitempty"` // staff reference of who wrote it down
	Approver    string `json:"approver,omitempty"` // staff reference of who approved it

	SecondApprover string `json:"second_approver,omitempty"` // who approved it in the organization above, where rules ask for that
	Authority      string `json:"authority,omitempty"`       // who approved it at the authority, where rules ask for that
	Remote         bool   `json:"remote,omitempty"`          // attested from afar, by telephone or picture
	Satisfaction   int    `json:"satisfaction,omitempty"`    // what the person helped said, 1 to 5; 0 when nobody asked
}

// Positions lists what somebody may be in an activity; the first, a member, goes without saying.
var Positions = []string{"", "organizer", "leader", "trainer"}

// Claim is what an organization says a volunteer did.
type Claim struct {
	Volunteer string // the volunteer's id
	Activity  string // what was done, in the organization's words
	Service   string // code of the service catalogue, optional
	Class     string // class of activity, optional: the rules tell which are volunteering
	Emergency int    // level of the emergency it was served in, 1 the gravest to 4; 0 for none
	Position  string // in the activity, optional: organizer, leader or trainer; empty is a member
	ServedOn  Date   // the day the shift began
	Start     *Clock // with End, the shift's clock times; an End not after Start is the next day's
	End       *Clock
	Minutes   Minutes // minutes really served, 1 to ClaimMinutesMax
	Reference string  // the organization's own reference, optional, unique in the organization
	Evidence  Evidence
}

// Check refuses a claim that makes no sense by itself, with an [*Invalid] that points at the field.
func (c Claim) Check() error {
	if c.Minutes < 1 || c.Minutes > ClaimMinutesMax {
		return &Invalid{"minutes_out_of_range", "/minutes",
			fmt.Sprintf("a claim is of 1 to %d minutes, not %d", ClaimMinutesMax, c.Minutes)}
	}
	if !slices.Contains(Positions, c.Position) {
		return &Invalid{"position_unknown", "/position", "a position is organizer, leader or trainer, or is left out"}
	}
	if (c.Start == nil) != (c.End == nil) {
		return &Invalid{"clock_incomplete", "/start", "give both start and end, or neither"}
	}
	if (c.Evidence.CheckIn == nil) != (c.Evidence.CheckOut == nil) {
		return &Invalid{"clock_incomplete", "/evidence/check_in", "give both check_in and check_out, or neither"}
	}
	if c.Emergency < 0 || c.Emergency > EmergencyLevelMax {
		return &Invalid{"level_out_of_range", "/emergency_level", fmt.Sprintf("an emergency is of level 1, the gravest, to %d", EmergencyLevelMax)}
	}
	if c.Evidence.Satisfaction < 0 || c.Evidence.Satisfaction > SatisfactionMax {
		return &Invalid{"satisfaction_out_of_range", "/evidence/satisfaction", fmt.Sprintf("satisfaction is 1 to %d, %[1]d the best", SatisfactionMax)}
	}
	return CheckTexts(
		Text{"/activity", c.Activity, ActivityBytesMax, true},
		Text{"/service", c.Service, ReferenceBytesMax, false},
		Text{"/class", c.Class, ReferenceBytesMax, false},
		Text{"/reference", c.Reference, ReferenceBytesMax, false},
		Text{"/evidence/sheet", c.Evidence.Sheet, ReferenceBytesMax, false},
		Text{"/evidence/recorder", c.Evidence.Recorder, StaffBytesMax, false},
		Text{"/evidence/approver", c.Evidence.Approver, StaffBytesMax, false},
		Text{"/evidence/second_approver", c.Evidence.SecondApprover, StaffBytesMax, false},
		Text{"/evidence/authority", c.Evidence.Authority, StaffBytesMax, false},
	)
}

// Span gives the shift as minutes since midnight of 1 January 1970 on the wall clock, half open, and
// false when the claim has no clock times.
func (c Claim) Span() (from, to int64, ok bool) {
	if c.Start == nil || c.End == nil {
		return 0, 0, false
	}
	const dayMinutes = 24 * 60
	midnight := int64(c.ServedOn) * dayMinutes
	from, to = midnight+int64(*c.Start), midnight+int64(*c.End)
	if to <= from {
		to += dayMinutes
	}
	return from, to, true
}

// Fingerprint is the same for two claims of the same shift: the same volunteer, organization,
// activity and date, and the same start and end or, where there are no clock times, the same minutes.
// Activities are the same when they look the same: spaces, and the forms that Unicode normalization
// (NFKC) takes for one, make no difference.
func (c Claim) Fingerprint(organization string) Hash {
	when := strconv.FormatInt(int64(c.Minutes), 10) + " min"
	if c.Start != nil && c.End != nil {
		when = c.Start.String() + "-" + c.End.String()
	}
	// Length-prefixed, so that no text can be mistaken for its neighbour.
	text := make([]byte, 0, fingerprintBytes)
	for _, part := range [...]string{c.Volunteer, organization, strings.Join(strings.Fields(norm.NFKC.String(c.Activity)), " "), c.ServedOn.String(), when} {
		text = append(append(strconv.AppendInt(text, int64(len(part)), 10), ':'), part...)
	}
	return sha256.Sum256(text)
}

// fingerprintBytes is what most fingerprints are made of: two ids, a date, a time and some words.
const fingerprintBytes = 256

// unseen reports characters that make two texts look alike or one look like another: controls, format
// characters such as those that turn the writing direction, line and paragraph separators.
func unseen(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }

// Text is a text of a request with its bound, for [CheckTexts].
type Text struct {
	Pointer  string
	Value    string
	BytesMax int
	Required bool
}

// CheckTexts refuses, with an [*Invalid], a text that is missing, too long, not UTF-8, or that holds a
// control or an unseen character: such a text cannot be shown, compared or exported safely.
func CheckTexts(texts ...Text) error {
	for _, t := range texts {
		switch {
		case t.Required && strings.TrimSpace(t.Value) == "":
			return &Invalid{"text_missing", t.Pointer, t.Pointer[1:] + " must not be empty"}
		case len(t.Value) > t.BytesMax:
			return &Invalid{"text_too_long", t.Pointer,
				fmt.Sprintf("%s has %d bytes, at most %d", t.Pointer[1:], len(t.Value), t.BytesMax)}
		case !utf8.ValidString(t.Value):
			return &Invalid{"text_malformed", t.Pointer, t.Pointer[1:] + " is not UTF-8"}
		case strings.ContainsFunc(t.Value, unseen):
			return &Invalid{"text_malformed", t.Pointer, t.Pointer[1:] + " holds a control character or one that cannot be seen"}
		}
	}
	return nil
}

package city

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Answer is what must become of a row.
type Answer struct {
	Row     int    `json:"row"`               // 1 is the first row below the header
	Outcome string `json:"outcome"`           // recorded, refused, ignored
	Code    string `json:"code,omitempty"`    // of the refusal
	Planted string `json:"planted,omitempty"` // what is odd about it
}

// AnswerKey is what must become of each row, if the sheet is imported for one organization after the other,
// in the order of [City.Organizations], under [City.Profile] and the rules that ship.
type AnswerKey []Answer

// Key gives the answer key of the sheet.
func (s Sheet) Key() AnswerKey {
	key := make(AnswerKey, len(s.Rows))
	for i, r := range s.Rows {
		key[i] = r.Want
	}
	return key
}

// JSON gives the key as a list, a line for each row.
func (k AnswerKey) JSON() ([]byte, error) {
	b := bytes.NewBufferString("[\n")
	for i, a := range k {
		line, err := json.Marshal(a)
		if err != nil {
			return nil, fmt.Errorf("writing the answer for row %d: %w", a.Row, err)
		}
		b.Write(line)
		if i < len(k)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString("]\n")
	return b.Bytes(), nil
}

// AnswerJSON gives the answer key as it is bundled.
func (s Sheet) AnswerJSON() ([]byte, error) { return s.Key().JSON() }

// Total counts rows of one outcome and, of the refused, one code.
type Total struct {
	Outcome, Code string
	Rows          int
}

// Totals counts the key's rows by outcome and code, in the order of the alphabet.
func (k AnswerKey) Totals() []Total {
	var totals []Total
	for _, a := range k {
		i := slices.IndexFunc(totals, func(t Total) bool { return t.Outcome == a.Outcome && t.Code == a.Code })
		if i < 0 {
			i, totals = len(totals), append(totals, Total{a.Outcome, a.Code, 0})
		}
		totals[i].Rows++
	}
	slices.SortFunc(totals, func(a, b Total) int { return strings.Compare(a.Outcome+" "+a.Code, b.Outcome+" "+b.Code) })
	return totals
}

// What is planted.
const (
	ExactDuplicate  = "exact duplicate"
	OtherReference  = "same shift under another reference"
	ReferenceReused = "reference used before"
	TwoPlaces       = "one person at two places"
	Nobody          = "nobody named"
	Unregistered    = "not registered"
	NoOrganization  = "no such organization"
	Absence         = "absent"
	NotYet          = "not come yet"
	BeforeBirth     = "before birth"
	NoSuchDay       = "no day of the calendar"
	TooManyHours    = "more hours than a day has"
	NoHours         = "no hours"
	NegativeHours   = "negative hours"
	HoursInWords    = "hours in words"
	MoreThanClock   = "two hours more than the clock"
	ClockDiffers    = "clock and hours differ by minutes"
	LongDay         = "more than eight hours in a day"
	OverMidnight    = "a shift over midnight"
	MonthInOneRow   = "a month's hours in one row at its end"
	BareWord        = "one person's bare word"
	SixtyAtNight    = "sixty equal rows by one clerk at night"
	SpaceAround     = "space around the number"
	OtherName       = "another name beside the number"
	NoteWithMarks   = "a note with marks and lines"
)

// rulebook judges rows by the rules as the documents state them, and remembers what it let through.
type rulebook struct {
	born          map[string]string // by number
	organizations map[string]bool
	shifts        map[string]bool
	references    map[string]bool
	spans         map[string][]span // by volunteer; minutes since 1970
}

// judge writes into each row what must become of it.
func judge(c City, rows []Row) {
	b := rulebook{
		born: map[string]string{}, organizations: map[string]bool{},
		shifts: map[string]bool{}, references: map[string]bool{}, spans: map[string][]span{},
	}
	for _, v := range c.Volunteers {
		b.born[v.Ref] = v.Born
	}
	turns := []string{} // whose rows come when
	for _, o := range c.Organizations {
		b.organizations[o.Name] = true
		turns = append(turns, o.Name)
	}
	for i := range rows {
		if name := rows[i].Organization; !slices.Contains(turns, name) {
			turns = append(turns, name) // there is none of this name: its rows are refused whenever they come
		}
	}
	for _, name := range turns {
		for i := range rows {
			if want := &rows[i].Want; rows[i].Organization == name {
				want.Row = i + 1
				want.Outcome, want.Code = b.outcome(rows[i])
			}
		}
	}
}

func (b rulebook) outcome(r Row) (outcome, code string) {
	if r.Absent == "是" {
		return "ignored", ""
	}
	if code := b.refusal(r); code != "" {
		return "refused", code
	}
	return "recorded", ""
}

// refusal gives the first reason there is against a row, and enters it where there is none. First comes what
// the row says by itself, then what the register says, then what is recorded already.
func (b rulebook) refusal(r Row) string {
	r.Volunteer = strings.TrimSpace(r.Volunteer)
	day, isDay := parseDay(r.Date)
	minutes, isAmount := parseHours(r.Hours)
	born, known := b.born[r.Volunteer]
	date := day.Format(time.DateOnly)
	switch {
	case slices.Contains([]string{"", "NA", "-"}, r.Volunteer):
		return "volunteer_missing"
	case !b.organizations[r.Organization]:
		return "organization_unknown"
	case !isDay:
		return "date_malformed"
	case !isAmount:
		return "amount_malformed"
	case minutes < 1 || minutes > dayMinutes:
		return "minutes_out_of_range"
	case !known:
		return "volunteer_unknown"
	case date > lastDay:
		return "date_in_future"
	case date < born:
		return "date_before_birth"
	}
	return b.repeated(r, int(day.Unix()/60), minutes)
}

func (b rulebook) repeated(r Row, midnight, minutes int) string {
	when, at, clocked := strconv.Itoa(minutes), span{}, r.Start != "" && r.End != ""
	if clocked {
		when, at = r.Start+"-"+r.End, clockSpan(midnight, r.Start, r.End)
	}
	shift := strings.Join([]string{r.Volunteer, r.Organization, r.Activity, strconv.Itoa(midnight), when}, "|")
	reference := r.Organization + "|" + r.Reference
	const grace = 60 // minutes that a claim may exceed its clock times
	switch {
	case b.shifts[shift]:
		return "shift_repeated"
	case b.references[reference]:
		return "reference_repeated"
	case clocked && slices.ContainsFunc(b.spans[r.Volunteer], func(o span) bool { return at.from < o.to && o.from < at.to }):
		return "shift_overlaps"
	case clocked && minutes > at.to-at.from+grace:
		return "minutes_exceed_clock"
	}
	b.shifts[shift], b.references[reference] = true, true
	if clocked {
		b.spans[r.Volunteer] = append(b.spans[r.Volunteer], at)
	}
	return ""
}

// clockSpan reads clock times such as 09:30; an end not after the start is the next day's.
func clockSpan(midnight int, start, end string) span {
	minute := func(text string) int {
		h, _ := strconv.Atoi(text[:2]) // we wrote it ourselves
		m, _ := strconv.Atoi(text[3:])
		return midnight + h*60 + m
	}
	s := span{minute(start), minute(end)}
	if s.to <= s.from {
		s.to += dayMinutes
	}
	return s
}

func parseDay(text string) (time.Time, bool) {
	for _, layout := range []string{time.DateOnly, "2006/1/2"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// parseHours reads decimal hours as minutes, rounded half up.
func parseHours(text string) (minutes int, ok bool) {
	whole, decimals, _ := strings.Cut(text, ".")
	scale := 1
	for range decimals {
		scale *= 10
	}
	n, err := strconv.Atoi(whole + decimals)
	if err != nil {
		return 0, false
	}
	if n < 0 {
		return -1, true // how many does not matter: it is refused
	}
	return (n*60*2 + scale) / (2 * scale), true
}

package sheet

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"timebank/ledger"
)

// Row is one row of a file.
type Row struct {
	Number    int            // 1 is the first row under the header
	Key       string         // an idempotency key: the same for the same row of the same content
	Volunteer string         // external id
	Site      string         // external id of the organization, where the profile has a column for it
	Claim     ledger.Claim   // without the volunteer's id, which the book knows
	Amount    ledger.Minutes // what the amount comes to, also where the row cannot be recorded
	Ignored   string         // why the profile passes it over; empty when it does not
	Problem   *Problem       // why it cannot be read; nil when it can
}

// Problem is why a row cannot be read.
type Problem struct{ Code, Detail string }

// Read reads every row of a file.
func Read(file []byte, p Profile) ([]Row, error) {
	t, err := readTable(file, p.Sheet)
	if err != nil {
		return nil, err
	}
	r, err := newReader(t, p)
	if err != nil {
		return nil, err
	}
	rows := make([]Row, 0, len(t.rows))
	seen := map[string]int{}
	for i, cells := range t.rows {
		if blank(cells) { // people leave lines between weeks; the numbers of the others stay those of the sheet
			continue
		}
		cells = trimmed(cells, r.width)
		row := r.row(i+1, cells)
		content := r.content(row, cells)
		// A second row of the same content is another request: it is answered by itself, and refused as
		// the same shift. The count makes its key differ, and the same again in the next import.
		seen[content]++
		row.Key = fmt.Sprintf("row-%s-%d", content, seen[content])
		rows = append(rows, row)
	}
	return rows, nil
}

// reader knows where in a row each field stands.
type reader struct {
	p      Profile
	excel  bool
	width  int
	at     map[string]int // field -> column
	header map[string]int // header -> column
}

func newReader(t table, p Profile) (*reader, error) {
	r := &reader{p: p, excel: t.excel, width: len(t.header), at: map[string]int{}, header: map[string]int{}}
	for i, h := range t.header {
		if _, twice := r.header[h]; twice && h != "" && p.uses(h) {
			return nil, refuse("two columns are named %q", clip(h))
		}
		r.header[h] = i
	}
	for _, field := range fields {
		names, wanted := p.Columns[field]
		if !wanted {
			continue
		}
		i := slices.IndexFunc(names, func(h string) bool { _, ok := r.header[h]; return ok })
		if i < 0 {
			return nil, refuse("column_missing: it has no column named %s, which the profile takes for %s", strings.Join(names, " or "), field)
		}
		r.at[field] = r.header[names[i]]
	}
	for _, h := range p.Activity.Join {
		if _, ok := r.header[h]; !ok {
			return nil, refuse("column_missing: it has no column named %s, which the profile joins to the activity", h)
		}
	}
	for _, rule := range p.Ignore {
		if _, ok := r.header[rule.Column]; !ok {
			return nil, refuse("column_missing: it has no column named %s, by which the profile ignores rows", rule.Column)
		}
	}
	return r, nil
}

// cell gives a cell without the space around it, and nothing for what means that nothing is there.
func (r *reader) cell(cells []string, column int) string {
	if column >= len(cells) {
		return ""
	}
	text := strings.TrimSpace(cells[column])
	if slices.Contains(r.p.Missing, text) {
		return ""
	}
	return text
}

func (r *reader) field(cells []string, field string) string {
	column, ok := r.at[field]
	if !ok {
		return ""
	}
	return r.cell(cells, column)
}

// content names what a row says: the cells as they are, and what the profile makes of them.
func (r *reader) content(row Row, cells []string) string {
	h := sha256.New()
	for _, c := range cells {
		c = strings.TrimSpace(c)
		fmt.Fprintf(h, "%d:%s", len(c), c)
	}
	e := row.Claim.Evidence
	fmt.Fprintf(h, "\n%s\n%s\n%s\n%d\n%s\n%s\n%s", row.Volunteer, row.Claim.Activity, row.Claim.ServedOn, row.Claim.Minutes, e.Sheet, e.Recorder, e.Approver)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// row reads one row. The amount is read first, so that the totals add up whatever else is wrong.
func (r *reader) row(number int, cells []string) Row {
	row := Row{Number: number}
	fault := func(code string, err error) Row {
		row.Problem = &Problem{code, strings.TrimPrefix(err.Error(), ledger.ErrInvalid.Error()+": ")}
		return row
	}
	amountErr := r.amount(&row, cells)
	for _, rule := range r.p.Ignore {
		if slices.Contains(rule.Equals, r.cell(cells, r.header[rule.Column])) {
			row.Ignored = rule.Reason
			return row
		}
	}
	if err := r.check(cells); err != nil {
		return fault("row_malformed", err)
	}
	if row.Volunteer = r.volunteer(cells); row.Volunteer == "" {
		return fault("volunteer_missing", fmt.Errorf("no volunteer is named"))
	}
	if site := r.field(cells, fieldSite); site != "" || r.p.Sites != nil {
		mapped, known := r.p.Sites[site]
		if !known && r.p.Sites != nil {
			return fault("organization_unknown", fmt.Errorf("the profile maps no organization for %q", clip(site)))
		}
		if row.Site = site; known {
			row.Site = mapped
		}
	}
	var err error
	if row.Claim.ServedOn, err = parseDate(r.field(cells, fieldDate), r.p.Dates, r.excel); err != nil {
		return fault("date_malformed", err)
	}
	if amountErr != nil {
		return fault("amount_malformed", amountErr)
	}
	if err := r.times(&row.Claim, cells); err != nil {
		return fault("clock_malformed", err)
	}
	if row.Claim.Minutes < 1 || row.Claim.Minutes > ledger.ClaimMinutesMax {
		return fault("minutes_out_of_range", fmt.Errorf("a claim is of 1 to %d minutes, not %d", ledger.ClaimMinutesMax, row.Claim.Minutes))
	}
	row.Claim.Activity = r.activity(cells)
	row.Claim.Service, row.Claim.Reference = r.field(cells, fieldService), r.field(cells, fieldReference)
	row.Claim.Class = r.field(cells, fieldClass)
	if err := r.evidence(&row.Claim.Evidence, cells); err != nil {
		return fault("clock_malformed", err)
	}
	if err := row.Claim.Check(); err != nil {
		return fault("row_malformed", err)
	}
	return row
}

func (r *reader) check(cells []string) error {
	if len(cells) > r.width {
		return fmt.Errorf("the row has %d cells, the header has %d", len(cells), r.width)
	}
	for _, c := range cells {
		if len(c) > cellMax {
			return fmt.Errorf("a cell has %d bytes, at most %d", len(c), cellMax)
		}
	}
	return nil
}

func (r *reader) amount(row *Row, cells []string) (err error) {
	if r.p.Amount.Unit == unitFromClock {
		from, err1 := parseClock(r.field(cells, fieldStart), r.excel)
		to, err2 := parseClock(r.field(cells, fieldEnd), r.excel)
		if err1 != nil || err2 != nil {
			return fmt.Errorf("%w: start and end are needed to compute the amount", ledger.ErrInvalid)
		}
		row.Amount = ledger.Minutes(to - from)
		if row.Amount <= 0 {
			row.Amount += 24 * 60
		}
	} else if row.Amount, err = parseAmount(r.field(cells, fieldAmount), r.p.Amount); err != nil {
		return err
	}
	row.Claim.Minutes = row.Amount
	return nil
}

func (r *reader) volunteer(cells []string) string {
	outside := r.field(cells, fieldVolunteer)
	if outside == "" {
		return ""
	}
	if mapped, ok := r.p.Volunteers.Map[outside]; ok {
		return mapped
	}
	return r.p.Volunteers.Prefix + outside
}

// times reads the clock times, where the sheet has both; a lone one says nothing.
func (r *reader) times(c *ledger.Claim, cells []string) error {
	return clocks(&c.Start, &c.End, r.field(cells, fieldStart), r.field(cells, fieldEnd), r.excel)
}

func clocks(from, to **ledger.Clock, fromText, toText string, excel bool) error {
	if fromText == "" || toText == "" {
		return nil
	}
	start, err := parseClock(fromText, excel)
	if err != nil {
		return err
	}
	end, err := parseClock(toText, excel)
	if err != nil {
		return err
	}
	*from, *to = &start, &end
	return nil
}

func (r *reader) activity(cells []string) string {
	text := r.field(cells, fieldActivity)
	if len(r.p.Activity.Join) > 0 {
		var parts []string
		for _, h := range r.p.Activity.Join {
			if part := r.cell(cells, r.header[h]); part != "" {
				parts = append(parts, part)
			}
		}
		text = strings.Join(parts, r.p.Activity.Separator)
	}
	if text == "" {
		return r.p.Activity.Default
	}
	return text
}

func (r *reader) evidence(e *ledger.Evidence, cells []string) error {
	said := r.p.Evidence
	e.Recorder, e.Approver, e.SecondApprover, e.Authority = said.Recorder, said.Approver, said.SecondApprover, said.Authority
	switch said.Kind {
	case evidenceSigned:
		e.Sheet = said.Sheet
	case evidenceColumns:
		e.Sheet = r.field(cells, fieldSheet)
		e.Recorder, e.Approver = cmp.Or(r.field(cells, fieldRecorder), e.Recorder), cmp.Or(r.field(cells, fieldApprover), e.Approver)
		e.SecondApprover = cmp.Or(r.field(cells, fieldSecond), e.SecondApprover)
		e.Authority = cmp.Or(r.field(cells, fieldAuthority), e.Authority)
		e.Beneficiary = slices.Contains(r.p.True, r.field(cells, fieldBeneficiary))
		return clocks(&e.CheckIn, &e.CheckOut, r.field(cells, fieldCheckIn), r.field(cells, fieldCheckOut), r.excel)
	}
	return nil
}

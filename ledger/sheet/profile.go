package sheet

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"timebank/ledger"
)

// Profile says how to read a sheet; docs/import.md describes every key.
type Profile struct {
	Sheet      string             `yaml:"sheet"`   // of an XLSX file; the first without it
	Columns    map[string]headers `yaml:"columns"` // field -> header or headers
	Dates      []string           `yaml:"dates"`   // accepted forms, such as MM-DD-YYYY
	Amount     amountRule         `yaml:"amount"`
	Missing    []string           `yaml:"missing"`    // values that mean nothing is there; the empty cell always does
	True       []string           `yaml:"true"`       // values that mean yes
	Volunteers idRule             `yaml:"volunteers"` // how outside ids become the external ids of volunteers
	Sites      map[string]string  `yaml:"sites"`      // how sites become the external ids of organizations
	Activity   activityRule       `yaml:"activity"`
	Evidence   evidenceRule       `yaml:"evidence"`
	Ignore     []ignoreRule       `yaml:"ignore"`
}

// headers is one header or a list of aliases.
type headers []string

// UnmarshalYAML reads a text or a list of texts.
func (h *headers) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if err := unmarshal(&one); err == nil {
		*h = headers{one}
		return nil
	}
	var many []string
	if err := unmarshal(&many); err != nil {
		return err
	}
	*h = many
	return nil
}

type amountRule struct {
	Unit  string          `yaml:"unit"`  // minutes, decimal_hours, h:mm, from_clock
	Round ledger.Rounding `yaml:"round"` // half_up (the default) or down
}

type idRule struct {
	Prefix string            `yaml:"prefix"`
	Map    map[string]string `yaml:"map"`
}

type activityRule struct {
	Join      []string `yaml:"join"` // headers whose cells together name the activity
	Separator string   `yaml:"separator"`
	Default   string   `yaml:"default"`
}

type evidenceRule struct {
	Kind     string `yaml:"kind"` // list, signed_sheets, columns
	Sheet    string `yaml:"sheet"`
	Recorder string `yaml:"recorder"`
	Approver string `yaml:"approver"`

	SecondApprover string `yaml:"second_approver"` // who in the organization above answers for the sheet, where no cell says so
	Authority      string `yaml:"authority"`       // the same at the authority
}

type ignoreRule struct {
	Column string   `yaml:"column"` // a header
	Equals []string `yaml:"equals"`
	Reason string   `yaml:"reason"`
}

// The fields that columns may be given for.
const (
	fieldVolunteer   = "volunteer"
	fieldSite        = "site"
	fieldActivity    = "activity"
	fieldService     = "service"
	fieldDate        = "date"
	fieldStart       = "start"
	fieldEnd         = "end"
	fieldAmount      = "amount"
	fieldReference   = "reference"
	fieldCheckIn     = "check_in"
	fieldCheckOut    = "check_out"
	fieldBeneficiary = "beneficiary_confirmed"
	fieldSheet       = "sheet"
	fieldRecorder    = "recorder"
	fieldApprover    = "approver"
	fieldSecond      = "second_approver"
	fieldAuthority   = "authority"
	fieldClass       = "class"
)

var fields = []string{fieldVolunteer, fieldSite, fieldActivity, fieldService, fieldDate, fieldStart, fieldEnd, fieldAmount, fieldReference,
	fieldCheckIn, fieldCheckOut, fieldBeneficiary, fieldSheet, fieldRecorder, fieldApprover, fieldSecond, fieldAuthority, fieldClass}

// profileBytesMax bounds a profile; with a thousand mapped ids it has some tens of thousands.
const profileBytesMax = 64 << 10

// ParseProfile reads a profile. Unknown keys are refused; errors name the line.
func ParseProfile(text []byte) (Profile, error) {
	var p Profile
	if len(text) > profileBytesMax {
		return p, fmt.Errorf("%w: a profile has at most %d bytes", ledger.ErrInvalid, profileBytesMax)
	}
	if err := checkProfile(text); err != nil {
		return p, err
	}
	if err := yaml.UnmarshalWithOptions(text, &p, yaml.Strict(), yaml.DisallowUnknownField()); err != nil {
		return p, fmt.Errorf("%w: reading the profile: %w", ledger.ErrInvalid, err)
	}
	if p.Amount.Round == "" {
		p.Amount.Round = ledger.RoundHalfUp
	}
	if err := p.check(); err != nil {
		return p, fmt.Errorf("%w: profile: %w", ledger.ErrInvalid, err)
	}
	return p, nil
}

func (p Profile) check() error {
	var faults []error
	for name, h := range p.Columns {
		if !slices.Contains(fields, name) {
			faults = append(faults, fmt.Errorf("columns: there is no field %q; the fields are %s", name, strings.Join(fields, ", ")))
		}
		if len(h) == 0 || slices.Contains(h, "") {
			faults = append(faults, fmt.Errorf("columns: %s names no header", name))
		}
	}
	for _, name := range []string{fieldVolunteer, fieldDate} {
		if len(p.Columns[name]) == 0 {
			faults = append(faults, fmt.Errorf("columns: %s is missing", name))
		}
	}
	if len(p.Dates) == 0 {
		faults = append(faults, errors.New("dates: give at least one form, such as YYYY-MM-DD"))
	}
	for _, form := range p.Dates {
		if _, err := dateLayout(form); err != nil {
			faults = append(faults, fmt.Errorf("dates: %w", err))
		}
	}
	return errors.Join(append(faults, p.checkAmount(), p.checkEvidence(), p.checkActivity())...)
}

func (p Profile) checkAmount() error {
	if p.Amount.Round != ledger.RoundHalfUp && p.Amount.Round != ledger.RoundDown {
		return errors.New("amount: round is half_up or down")
	}
	switch p.Amount.Unit {
	case unitMinutes, unitDecimalHours, unitHoursMinutes:
		if len(p.Columns[fieldAmount]) == 0 {
			return fmt.Errorf("columns: amount is missing, which unit %s needs", p.Amount.Unit)
		}
	case unitFromClock:
		if len(p.Columns[fieldStart]) == 0 || len(p.Columns[fieldEnd]) == 0 {
			return errors.New("columns: start or end is missing, which unit from_clock needs")
		}
	default:
		return errors.New("amount: unit is minutes, decimal_hours, h:mm or from_clock")
	}
	return nil
}

func (p Profile) checkEvidence() error {
	switch p.Evidence.Kind {
	case evidenceList, evidenceColumns:
		return nil
	case evidenceSigned:
		if p.Evidence.Sheet == "" || p.Evidence.Recorder == "" || p.Evidence.Approver == "" || p.Evidence.Recorder == p.Evidence.Approver {
			return errors.New("evidence: signed_sheets need sheet (where they are filed), recorder, and another person as approver")
		}
		return nil
	default:
		return errors.New("evidence: kind is list, signed_sheets or columns")
	}
}

func (p Profile) checkActivity() error {
	if len(p.Activity.Join) > 0 && len(p.Columns[fieldActivity]) > 0 {
		return errors.New("activity: join and a column for activity are given; one is enough")
	}
	if len(p.Activity.Join) == 0 && len(p.Columns[fieldActivity]) == 0 && p.Activity.Default == "" {
		return errors.New("activity: give a column, join or a default")
	}
	for i, rule := range p.Ignore {
		if rule.Column == "" || rule.Reason == "" || len(rule.Equals) == 0 {
			return fmt.Errorf("ignore: rule %d needs column, equals and reason", i+1)
		}
	}
	return nil
}

// The units of amounts and the kinds of evidence.
const (
	unitMinutes      = "minutes"
	unitDecimalHours = "decimal_hours"
	unitHoursMinutes = "h:mm"
	unitFromClock    = "from_clock"

	evidenceList    = "list"
	evidenceSigned  = "signed_sheets"
	evidenceColumns = "columns"
)

// uses reports whether the profile reads the column of a header.
func (p Profile) uses(header string) bool {
	for _, names := range p.Columns {
		if slices.Contains(names, header) {
			return true
		}
	}
	return slices.Contains(p.Activity.Join, header) || slices.ContainsFunc(p.Ignore, func(i ignoreRule) bool { return i.Column == header })
}

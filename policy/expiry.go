package policy

import (
	"fmt"

	"timebank/ledger"
)

// expiry says after how many months credit ends. With none it never does.
type expiry struct {
	id     string
	months int64
}

type expiryDoc struct {
	ID          word `yaml:"id"`
	AfterMonths word `yaml:"after_months"`
	Text        text `yaml:"text"`
	Source      word `yaml:"source"`
}

// ExpiryFacts are what came into a volunteer's credit long ago, and what went out since. The oldest
// credit is used first, so what is left of the old is what came in before and never went out.
type ExpiryFacts struct {
	Received  ledger.Minutes `json:"received"` // up to and with the cutoff; what was corrected is not in it
	Spent     ledger.Minutes `json:"spent"`    // ever: given for care, transferred, donated, expired
	Held      ledger.Minutes `json:"held"`     // for care; the oldest too, and not taken
	Available ledger.Minutes `json:"available"`
	Cutoff    string         `json:"cutoff"` // the last day whose credit has ended
	Today     string         `json:"today"`
}

const expiryMonthsMax = 1200

func (p *parser) expiry(r *Rules, d expiryDoc) {
	if d == (expiryDoc{}) {
		return
	}
	p.rule(r, d.ID, d.Text, d.Source)
	r.expiry = expiry{d.ID.value, p.within("rule "+d.ID.value+": after_months", d.AfterMonths, d.ID, expiryMonthsMax)}
}

// ExpiryCutoff gives the last day whose credit has ended by today: credit of a day can be used until the
// day before the same date so many months later. It is false when credit never ends.
func (r *Rules) ExpiryCutoff(today ledger.Date) (ledger.Date, bool) {
	if r.expiry.months == 0 {
		return 0, false
	}
	cutoff := today.AddMonths(-int(r.expiry.months))
	return cutoff, cutoff >= ledger.DateMin
}

// Expire says how much of a volunteer's credit has ended. Credit that is held for care is not taken. The
// error is a *ledger.Refusal when there is nothing to take.
func (r *Rules) Expire(f ExpiryFacts) (ExpiryDecision, error) {
	if r.expiry.months == 0 {
		return ExpiryDecision{}, &ledger.Refusal{Code: "nothing_expires", Detail: "by the rules in force credit never expires / 按现行规则时间不会过期"}
	}
	m := min(f.Received-f.Spent-f.Held, f.Available)
	if m <= 0 {
		return ExpiryDecision{}, &ledger.Refusal{Code: "nothing_expires", Rule: r.expiry.id, Detail: fmt.Sprintf("nothing is left of credit up to %s / 截至 %s 的时间均已用完", f.Cutoff, f.Cutoff)}
	}
	return ExpiryDecision{m, []Step{{Rule: r.expiry.id, Effect: Expired, Unit: ledger.Care, In: f.Received, Out: m, Before: f.Spent + f.Held}}}, nil
}

// ExpiryDecision is how much credit has ended.
type ExpiryDecision struct {
	Minutes ledger.Minutes
	Steps   []Step
}

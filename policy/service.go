package policy

import (
	"regexp"
	"slices"
	"strings"

	"timebank/ledger"
)

var servicePattern = regexp.MustCompile(`^[A-Z][A-Z0-9-]{1,31}$`)

// careService is a service of the catalogue.
type careService struct {
	code    string
	text    text
	minutes ledger.Minutes // how long it usually takes
	by      string         // who may give it for credit: volunteers, partners, or nobody
}

type serviceDoc struct {
	Code    word `yaml:"code"`
	Text    text `yaml:"text"`
	Minutes word `yaml:"minutes"`
	By      word `yaml:"by"`
}

// givenBy is who may give a service for credit.
var givenBy = []string{"volunteers", "partners", "nobody"}

// services reads the catalogue.
func (p *parser) services(r *Rules, docs []serviceDoc) {
	for _, d := range docs {
		code := d.Code.value
		if !servicePattern.MatchString(code) || r.service(code) != nil {
			p.fault(lineOf(d.Code), "a service needs a code of its own of capitals, digits and hyphens, not %q", code)
		}
		p.text(lineOf(d.Code), "service "+code, d.Text)
		minutes, ok := d.Minutes.whole()
		if !ok || minutes < 1 || minutes > int64(ledger.ClaimMinutesMax) {
			p.fault(lineOf(d.Minutes, d.Code), "service %s: minutes are from 1 to %d, not %q", code, ledger.ClaimMinutesMax, d.Minutes.value)
		}
		if !slices.Contains(givenBy, d.By.value) {
			p.fault(lineOf(d.By, d.Code), "service %s: by is %s, not %q", code, strings.Join(givenBy, ", "), d.By.value)
		}
		r.services = append(r.services, careService{code, d.Text, ledger.Minutes(minutes), d.By.value})
	}
}

// service finds a service of the catalogue.
func (r *Rules) service(code string) *careService {
	for i := range r.services {
		if r.services[i].code == code {
			return &r.services[i]
		}
	}
	return nil
}

// Service is a service of the catalogue, as people read it.
type Service struct {
	Code, Text string
	Minutes    ledger.Minutes // how long it usually takes
	By         string         // who may give it for credit: volunteers, partners, or nobody
}

// Services lists the catalogue.
func (r *Rules) Services(lang Lang) []Service {
	all := make([]Service, len(r.services))
	for i, s := range r.services {
		all[i] = Service{s.code, s.text.in(lang), s.minutes, s.by}
	}
	return all
}

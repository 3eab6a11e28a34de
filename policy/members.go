package policy

import "timebank/ledger"

// AddTo adds the facts as they are recorded with each claim: what MarshalJSONTo writes, without reflection.
func (f *ClaimFacts) AddTo(m *ledger.Members) {
	m.Int("age", int64(f.Age))
	if len(f.Roles) > 0 {
		m.Texts("roles", len(f.Roles), func(i int) string { return string(f.Roles[i]) })
	}
	m.Text("organization_kind", string(f.OrganizationKind))
	m.TextUnlessEmpty("service", f.Service)
	m.TextUnlessEmpty("class", f.Class)
	m.IntUnlessZero("emergency", int64(f.Emergency))
	m.Int("minutes", int64(f.Minutes))
	m.Int("clock_minutes", int64(f.ClockMinutes))
	m.Bool("checked_in_out", f.CheckedInOut)
	m.Bool("beneficiary_confirmed", f.BeneficiaryConfirmed)
	m.Bool("sheet_on_file", f.SheetOnFile)
	m.Bool("two_persons", f.TwoPersons)
	m.BoolIfSo("second_approver", f.SecondApprover)
	m.BoolIfSo("authority_approved", f.AuthorityApproved)
	m.BoolIfSo("remote", f.Remote)
	m.BoolIfSo("guardian_consent", f.GuardianConsent)
	if len(f.Chosen) > 0 {
		m.Texts("chosen", len(f.Chosen), func(i int) string { return f.Chosen[i] })
	}
	f.Past.addTo(m)
	m.Text("served_on", f.ServedOn.String())
	m.Text("today", f.Today.String())
}

func (p *Past) addTo(m *ledger.Members) {
	m.Int("care_on_day", int64(p.CareOnDay))
	m.Int("youth_on_day", int64(p.YouthOnDay))
	m.IntUnlessZero("minutes_on_day", int64(p.MinutesOnDay))
	m.IntUnlessZero("care_in_month", int64(p.CareInMonth))
	m.IntUnlessZero("youth_in_month", int64(p.YouthInMonth))
	m.IntUnlessZero("care_in_year", int64(p.CareInYear))
	m.IntUnlessZero("youth_in_year", int64(p.YouthInYear))
	m.IntUnlessZero("care_stored", int64(p.CareStored))
	m.IntUnlessZero("care_carried", p.CareCarried)
	m.IntUnlessZero("youth_carried", p.YouthCarried)
}

// AddTo adds a step's members, as they are recorded.
func (s *Step) AddTo(m *ledger.Members) {
	m.Text("rule", s.Rule)
	m.Text("effect", s.Effect)
	m.TextUnlessEmpty("unit", string(s.Unit))
	m.Int("in", int64(s.In))
	m.Int("out", int64(s.Out))
	m.IntUnlessZero("before", int64(s.Before))
	m.TextUnlessEmpty("rate", s.Rate)
	m.IntUnlessZero("carried", s.Carried)
	m.IntUnlessZero("rest", s.Rest)
}

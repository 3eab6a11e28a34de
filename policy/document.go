package policy

// document is a rule set as written in YAML. Unknown keys are refused.
type document struct {
	ID            string      `yaml:"id"`
	Title         text        `yaml:"title"`
	EffectiveFrom string      `yaml:"effective_from"`
	Author        string      `yaml:"author"`
	Ages          ages        `yaml:"ages"`
	Grades        []gradeDoc  `yaml:"grades"`
	Refuse        []refuseDoc `yaml:"refuse"`
	Earn          []earnDoc   `yaml:"earn"`
	Withhold      []holdback  `yaml:"withhold"`
	Limits        []limitDoc  `yaml:"limits"`
	Redeem        redeemDoc   `yaml:"redeem"`
	Correction    correctDoc  `yaml:"correction"`
}

// text is a sentence for people, in both languages.
type text struct {
	EN string `yaml:"en"`
	ZH string `yaml:"zh"`
}

func (t text) in(lang Lang) string {
	if lang == Chinese {
		return t.ZH
	}
	return t.EN
}

type ages struct {
	LeapBirthday string `yaml:"leap_birthday"`
}

type gradeDoc struct {
	Grade  string `yaml:"grade"`
	When   string `yaml:"when"`
	Text   text   `yaml:"text"`
	Source string `yaml:"source"`
}

type refuseDoc struct {
	ID     string `yaml:"id"`
	When   string `yaml:"when"`
	Code   string `yaml:"code"`
	Text   text   `yaml:"text"`
	Source string `yaml:"source"`
}

type earnDoc struct {
	ID     string `yaml:"id"`
	Unit   string `yaml:"unit"`
	When   string `yaml:"when"`
	Rate   string `yaml:"rate"`
	Text   text   `yaml:"text"`
	Source string `yaml:"source"`
}

type holdback struct {
	ID     string   `yaml:"id"`
	Units  []string `yaml:"units"`
	When   string   `yaml:"when"`
	Text   text     `yaml:"text"`
	Source string   `yaml:"source"`
}

type limitDoc struct {
	ID     string `yaml:"id"`
	Unit   string `yaml:"unit"`
	Per    string `yaml:"per"`
	Most   int64  `yaml:"most"`
	Text   text   `yaml:"text"`
	Source string `yaml:"source"`
}

type redeemDoc struct {
	HoldSeconds int64       `yaml:"hold_seconds"`
	Redeemable  refuseDoc   `yaml:"redeemable"` // when: true means that credit may be redeemed
	Require     []refuseDoc `yaml:"require"`
}

type correctDoc struct {
	Shortfall string `yaml:"shortfall"`
	Text      text   `yaml:"text"`
	Source    string `yaml:"source"`
}

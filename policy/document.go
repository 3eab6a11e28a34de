package policy

// document is a rule set as written in YAML. Unknown keys are refused.
type document struct {
	ID            word         `yaml:"id"`
	Title         text         `yaml:"title"`
	EffectiveFrom word         `yaml:"effective_from"`
	Author        word         `yaml:"author"`
	Approver      word         `yaml:"approver"`
	Sources       []sourceDoc  `yaml:"sources"`
	Ages          ages         `yaml:"ages"`
	Grades        []gradeDoc   `yaml:"grades"`
	Refuse        []refuseDoc  `yaml:"refuse"`
	Earn          []earnDoc    `yaml:"earn"`
	Withhold      []holdback   `yaml:"withhold"`
	Limits        []limitDoc   `yaml:"limits"`
	Marks         []markDoc    `yaml:"marks"`
	Calendar      calendarDoc  `yaml:"calendar"`
	Choices       []choiceDoc  `yaml:"choices"`
	Services      []serviceDoc `yaml:"services"`
	Levels        levelsDoc    `yaml:"levels"`
	Redeem        redeemDoc    `yaml:"redeem"`
	Transfer      giveDoc      `yaml:"transfer"`
	Donate        giveDoc      `yaml:"donate"`
	Pool          poolDoc      `yaml:"pool"`
	Expiry        expiryDoc    `yaml:"expiry"`
	Honours       []honourDoc  `yaml:"honours"`
	Support       supportDoc   `yaml:"support"`
	Workload      workloadDoc  `yaml:"workload"`
	Notices       []whatRule   `yaml:"notices"`
	Correction    correctDoc   `yaml:"correction"`
}

// text is a sentence for people, in both languages.
type text struct {
	EN word `yaml:"en"`
	ZH word `yaml:"zh"`
}

func (t text) in(lang Lang) string {
	if lang == Chinese {
		return t.ZH.value
	}
	return t.EN.value
}

type ages struct {
	LeapBirthday word `yaml:"leap_birthday"`
}

// sourceDoc is a law, a paper, a report or a decision that rules name as their source, by how they begin.
type sourceDoc struct {
	Name word `yaml:"name"`
	Kind word `yaml:"kind"`
	Text text `yaml:"text"`
}

type gradeDoc struct {
	Grade  word `yaml:"grade"`
	When   word `yaml:"when"`
	Text   text `yaml:"text"`
	Source word `yaml:"source"`
}

type refuseDoc struct {
	ID     word `yaml:"id"`
	When   word `yaml:"when"`
	Code   word `yaml:"code"`
	Text   text `yaml:"text"`
	Source word `yaml:"source"`
}

type holdback struct {
	ID     word   `yaml:"id"`
	Units  []word `yaml:"units"`
	When   word   `yaml:"when"`
	Text   text   `yaml:"text"`
	Source word   `yaml:"source"`
}

type markDoc struct {
	ID     word `yaml:"id"`
	When   word `yaml:"when"`
	Text   text `yaml:"text"`
	Source word `yaml:"source"`
}

type redeemDoc struct {
	HoldSeconds word           `yaml:"hold_seconds"`
	Redeemable  refuseDoc      `yaml:"redeemable"`   // when: true means that credit may be redeemed
	ForRelative refuseDoc      `yaml:"for_relative"` // the same, when the care is for a relative
	Require     []refuseDoc    `yaml:"require"`
	Limits      []giveLimitDoc `yaml:"limits"`
	Strikes     []strikeDoc    `yaml:"strikes"` // what counts against whoever breaks an agreement
}

type correctDoc struct {
	Shortfall word `yaml:"shortfall"`
	Text      text `yaml:"text"`
	Source    word `yaml:"source"`
}

package policy

import (
	"fmt"
	"slices"

	"timebank/ledger"
)

// level is an honour that the service record reaches by its hours. It moves no minutes.
type level struct {
	id    string
	hours int64
	text  text
}

type levelsDoc struct {
	Grades []word     `yaml:"grades"` // which count
	Each   []levelDoc `yaml:"each"`
}

type levelDoc struct {
	ID     word `yaml:"id"`
	Hours  word `yaml:"hours"`
	Text   text `yaml:"text"`
	Source word `yaml:"source"`
}

const levelHoursMax = 1_000_000

// levels reads the levels, which rise.
func (p *parser) levels(r *Rules, doc levelsDoc) {
	for _, g := range doc.Grades {
		grade := ledger.Grade(g.value)
		if !slices.Contains(ledger.Grades, grade) || slices.Contains(r.levelGrades, grade) {
			p.fault(g.line, "levels: grades are of A, B, C and D, each once, not %q", g.value)
		}
		r.levelGrades = append(r.levelGrades, grade)
	}
	for _, d := range doc.Each {
		p.rule(r, d.ID, d.Text, d.Source)
		hours, ok := d.Hours.whole()
		if !ok || hours < 1 || hours > levelHoursMax {
			p.fault(lineOf(d.Hours, d.ID), "level %s: hours are from 1 to %d, not %q", d.ID.value, levelHoursMax, d.Hours.value)
		}
		if n := len(r.levels); n > 0 && hours <= r.levels[n-1].hours {
			p.fault(lineOf(d.Hours, d.ID), "level %s: its hours are more than those of the level before it", d.ID.value)
		}
		r.levels = append(r.levels, level{d.ID.value, hours, d.Text})
	}
	if len(r.levels) > 0 && len(r.levelGrades) == 0 {
		p.fault(lineOf(doc.Each[0].ID), "levels: say which grades of evidence count")
	}
}

// Level is a level that a service record has reached, or the next.
type Level struct {
	ID      string
	Minutes ledger.Minutes // from which it is reached
	Text    string
}

// LevelGrades gives the grades of evidence that count for levels.
func (r *Rules) LevelGrades() []ledger.Grade { return slices.Clone(r.levelGrades) }

// Levels gives the levels that so many minutes of service have reached, lowest first, and the next one,
// nil when there is none. Credit counts for none of them.
func (r *Rules) Levels(served ledger.Minutes, lang Lang) (reached []Level, next *Level) {
	for _, l := range r.levels {
		x := Level{l.id, ledger.Minutes(l.hours * 60), l.text.in(lang)}
		if served < x.Minutes {
			return reached, &x
		}
		reached = append(reached, x)
	}
	return reached, nil
}

// LevelWords tells in a sentence what was reached and what is missing to the next.
func (r *Rules) LevelWords(served ledger.Minutes, lang Lang) string {
	reached, next := r.Levels(served, lang)
	if lang == Chinese {
		words := served.Chinese() + " 计入等级"
		if n := len(reached); n > 0 {
			words += "：" + reached[n-1].Text
		}
		if next != nil {
			words += fmt.Sprintf("；距“%s”还差 %s", next.Text, (next.Minutes - served).Chinese())
		}
		return words
	}
	words := served.String() + " count"
	if n := len(reached); n > 0 {
		words += ": " + reached[n-1].Text
	}
	if next != nil {
		words += fmt.Sprintf("; %s are missing to %q", next.Minutes-served, next.Text)
	}
	return words
}

package policy

import (
	"fmt"

	"timebank/ledger"
)

// Words tells a step as people read it, with its arithmetic.
func (r *Rules) Words(s Step, lang Lang) string {
	text := r.texts[s.Rule].text.in(lang)
	if lang == Chinese {
		return text + r.chinese(s) + "（规则 " + s.Rule + "）"
	}
	return text + r.english(s) + " (rule " + s.Rule + ")"
}

var unitsEN = map[ledger.Unit]string{ledger.Care: "care credit", ledger.Youth: "youth service record"}
var unitsZH = map[ledger.Unit]string{ledger.Care: "养老服务时间", ledger.Youth: "青少年服务档案"}

func (r *Rules) english(s Step) string {
	switch s.Effect {
	case Applied:
		return ": " + r.product(s, English)
	case Withheld:
		return fmt.Sprintf(": %s of %s are not given", s.In, unitsEN[s.Unit])
	case Limited:
		return fmt.Sprintf(": %s were given for this %s before, so %s become %s", s.Before, r.limitOf(s.Rule).per, s.In, s.Out)
	case Pooled:
		return fmt.Sprintf(": %s are %s before, so of %s the volunteer keeps %s and the pool gets %s in the volunteer's name",
			s.Before, map[bool]string{true: "stored", false: "earned"}[r.limitOf(s.Rule).per == perStored], s.In, s.Out, s.In-s.Out)
	case Expired:
		return fmt.Sprintf(": of %s received up to then %s are spent or held, so %s end", s.In, s.Before, s.Out)
	default:
		return ""
	}
}

var periodsZH = map[ledger.Period]string{ledger.Day: "当日", ledger.Month: "当月", ledger.Year: "当年"}

func (r *Rules) chinese(s Step) string {
	switch s.Effect {
	case Applied:
		return "：" + r.product(s, Chinese)
	case Withheld:
		return fmt.Sprintf("：%s %s不计入", unitsZH[s.Unit], s.In.Chinese())
	case Limited:
		return fmt.Sprintf("：%s此前已计 %s，因此 %s 计为 %s", periodsZH[r.limitOf(s.Rule).per], s.Before.Chinese(), s.In.Chinese(), s.Out.Chinese())
	case Pooled:
		return fmt.Sprintf("：此前已有 %s，因此 %s 中本人留存 %s，%s 以本人名义转入公共池",
			s.Before.Chinese(), s.In.Chinese(), s.Out.Chinese(), (s.In - s.Out).Chinese())
	case Expired:
		return fmt.Sprintf("：截至该日共存入 %s，其中 %s 已用去或已预留，到期 %s", s.In.Chinese(), s.Before.Chinese(), s.Out.Chinese())
	default:
		return ""
	}
}

// product tells the arithmetic of an earning rule: minutes × rate, what rounding left before, and what it
// leaves now.
func (r *Rules) product(s Step, lang Lang) string {
	e, parts := r.earnOf(s.Rule), r.parts(s.Unit)
	if lang == Chinese {
		words := s.In.Chinese() + " × " + s.Rate
		if s.Carried != 0 {
			words += " + 以前余下 " + minuteParts(s.Carried, parts, lang)
		}
		if e.step > 1 {
			words += "，按 " + e.step.Chinese() + " 为单位"
		}
		words += " = " + unitsZH[s.Unit] + " " + s.Out.Chinese()
		if e.pool {
			words += "，以本人名义转入公共池"
		}
		if s.Rest != 0 {
			words += "，余 " + minuteParts(s.Rest, parts, lang) + " 结转"
		}
		return words
	}
	words := s.In.String() + " × " + s.Rate
	if s.Carried != 0 {
		words += " + " + minuteParts(s.Carried, parts, lang) + " left before"
	}
	if e.step > 1 {
		words += ", in steps of " + e.step.String() + ","
	}
	words += " = " + s.Out.String() + " of " + unitsEN[s.Unit]
	if e.pool {
		words += " for the pool, in the volunteer's name"
	}
	if s.Rest != 0 {
		words += ", and " + minuteParts(s.Rest, parts, lang) + " are left for the next claim"
	}
	return words
}

// minuteParts tells parts of minutes: 45 of 1 as "45 min", 7 of 3 as "2 1/3 min".
func minuteParts(n, parts int64, lang Lang) string {
	unit := " min"
	if lang == Chinese {
		unit = " 分"
	}
	sign := ""
	if n < 0 {
		sign, n = "−", -n
	}
	whole, over := n/parts, n%parts
	divisor := greatestDivisor(max(1, over), parts)
	fraction := fmt.Sprintf("%d/%d", over/divisor, parts/divisor)
	switch {
	case over == 0:
		return fmt.Sprintf("%s%d%s", sign, whole, unit)
	case whole == 0:
		return sign + fraction + unit
	default:
		return fmt.Sprintf("%s%d %s%s", sign, whole, fraction, unit)
	}
}

func greatestDivisor(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// earnOf gives the earning rule of an id; one that is not there counts in whole minutes.
func (r *Rules) earnOf(id string) earn {
	for _, e := range r.earn {
		if e.id == id {
			return e
		}
	}
	return earn{step: 1}
}

func (r *Rules) limitOf(id string) limit {
	for _, l := range r.limits {
		if l.id == id {
			return l
		}
	}
	return limit{}
}

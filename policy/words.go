package policy

import (
	"fmt"

	"timebank/ledger"
)

// Words tells a step as people read it, with its arithmetic.
func (r *Rules) Words(s Step, lang Lang) string {
	text := r.texts[s.Rule].text.in(lang)
	if lang == Chinese {
		return text + chinese(s) + "（规则 " + s.Rule + "）"
	}
	return text + english(s) + " (rule " + s.Rule + ")"
}

var unitsEN = map[ledger.Unit]string{ledger.Care: "care credit", ledger.Youth: "youth service record"}
var unitsZH = map[ledger.Unit]string{ledger.Care: "养老服务时间", ledger.Youth: "青少年服务档案"}

func english(s Step) string {
	switch s.Effect {
	case Applied:
		return fmt.Sprintf(": %s × %s = %s of %s", s.In, s.Rate, s.Out, unitsEN[s.Unit])
	case Withheld:
		return fmt.Sprintf(": %s of %s are not given", s.In, unitsEN[s.Unit])
	case Limited:
		return fmt.Sprintf(": %s were given for this day before, so %s become %s", s.Before, s.In, s.Out)
	default:
		return ""
	}
}

func chinese(s Step) string {
	switch s.Effect {
	case Applied:
		return fmt.Sprintf("：%s × %s = %s %s", s.In.Chinese(), s.Rate, unitsZH[s.Unit], s.Out.Chinese())
	case Withheld:
		return fmt.Sprintf("：%s %s不计入", unitsZH[s.Unit], s.In.Chinese())
	case Limited:
		return fmt.Sprintf("：当日此前已计 %s，因此 %s 计为 %s", s.Before.Chinese(), s.In.Chinese(), s.Out.Chinese())
	default:
		return ""
	}
}

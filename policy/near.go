package policy

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"
	celparser "cel.dev/cel-go/parser"

	"timebank/ledger"
)

// Near is a rule that took no part in a decision, and nearly did: all but one of the things it asks for
// were so, and that one was a number that missed by little, or something shown that spared the claim
// (`!second_approver`), or, of a grade, something not shown; or it is a limit that is nearly used up.
type Near struct {
	Rule  string
	Asks  string         // what was not so, as the rule writes it: "age >= 60"
	Fact  string         // the number it compares, "age"; "" for a yes or no
	Value int64          // what that was
	Used  ledger.Minutes // of a limit: what counts against it now
	Most  ledger.Minutes // 0 when it is no limit
}

// A number nearly fits when it misses by a tenth of what is asked, or by one; a limit is nearly used up
// when a tenth is left.
const nearTenth = 10

// part is one of the things that a condition asks for all at once.
type part struct {
	text    string
	program cel.Program
	spares  bool        // "!second_approver": something shown that spares
	number  string      // of a comparison with a whole number: what is compared
	value   cel.Program // gives it
	bound   int64
}

// partsOf takes a condition apart at its outermost &&.
func (c compiler) partsOf(whole *cel.Ast) ([]part, error) {
	var parts []part
	info := whole.NativeRep().SourceInfo()
	for _, e := range conjuncts(whole.NativeRep().Expr()) {
		var p part
		var err error
		if p.text, p.program, err = c.expression(e, info); err != nil {
			return nil, err
		}
		p.spares = spares(e)
		if left, bound, ok := comparison(e); ok {
			p.bound = bound
			if p.number, p.value, err = c.expression(left, info); err != nil {
				return nil, err
			}
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// expression compiles a part of an expression, and gives its text.
func (c compiler) expression(e ast.Expr, info *ast.SourceInfo) (string, cel.Program, error) {
	text, err := celparser.Unparse(e, info)
	if err != nil {
		return "", nil, err
	}
	text = strings.Join(strings.Fields(text), " ")
	compiled, issues := c.env.Compile(text)
	if issues.Err() != nil {
		return "", nil, issues.Err()
	}
	program, err := c.env.Program(compiled, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(conditionCostMax))
	return text, program, err
}

func conjuncts(e ast.Expr) []ast.Expr {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != operators.LogicalAnd {
		return []ast.Expr{e}
	}
	var all []ast.Expr
	for _, arg := range e.AsCall().Args() {
		all = append(all, conjuncts(arg)...)
	}
	return all
}

// spares reports "!fact".
func spares(e ast.Expr) bool {
	return e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.LogicalNot && e.AsCall().Args()[0].Kind() == ast.IdentKind
}

// comparison reads "age >= 60" as what is compared and the number. A comparison with nought is a yes or no.
func comparison(e ast.Expr) (left ast.Expr, bound int64, ok bool) {
	if e.Kind() != ast.CallKind {
		return nil, 0, false
	}
	call := e.AsCall()
	orders := []string{operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals}
	if !slices.Contains(orders, call.FunctionName()) || call.Args()[1].Kind() != ast.LiteralKind {
		return nil, 0, false
	}
	n, isInt := call.Args()[1].AsLiteral().(types.Int)
	return call.Args()[0], int64(n), isInt && n != 0
}

// missedBy gives the one part that did not hold, when the condition nearly did.
func (c condition) missedBy(facts interpreter.Activation) (near Near, number, ok bool) {
	missed := -1
	for i, p := range c.parts {
		out, _, err := p.program.Eval(facts)
		if err != nil || out != types.True && missed >= 0 {
			return Near{}, false, false
		}
		if out != types.True {
			missed = i
		}
	}
	if missed < 0 {
		return Near{}, false, false
	}
	p := c.parts[missed]
	if p.value == nil {
		return Near{Asks: p.text}, false, p.spares
	}
	out, _, err := p.value.Eval(facts)
	value, isInt := out.(types.Int)
	if err != nil || !isInt {
		return Near{}, false, false
	}
	off := max(int64(value)-p.bound, p.bound-int64(value))
	return Near{Asks: p.text, Fact: p.number, Value: int64(value)}, true, off <= max(1, p.bound/nearTenth)
}

// Nearly lists the rules that took no part in deciding a claim and nearly did, in the set's order.
func (r *Rules) Nearly(f ClaimFacts) ([]Near, error) {
	d, err := r.Decide(f)
	if err != nil {
		return nil, err
	}
	view := &claimView{f: &f, grade: d.Grade, days: &r.workdays}
	took := func(rule string) bool {
		return slices.ContainsFunc(d.Steps, func(s Step) bool { return s.Rule == rule })
	}
	var all []Near
	ask := func(rule string, c condition) {
		n, _, ok := c.missedBy(view)
		if ok && !took(rule) {
			n.Rule = rule
			all = append(all, n)
		}
	}
	for i, g := range ledger.Grades {
		if g == d.Grade {
			break
		}
		if n, number, _ := r.grades[i].missedBy(view); n.Asks != "" && !number {
			n.Rule = gradeID(g) // one thing more to show, and the grade is better
			all = append(all, n)
		}
	}
	for _, c := range r.refuse {
		ask(c.id, c.when)
	}
	for _, e := range r.earnersNotReached(took) {
		ask(e.id, e.when)
	}
	for _, w := range r.withhold {
		ask(w.id, w.when)
	}
	for _, l := range r.limits {
		if n, ok := l.nearly(f, d); ok && !took(l.id) {
			all = append(all, n)
		}
	}
	for _, m := range r.marks {
		ask(m.id, m.when)
	}
	return all, nil
}

// earnersNotReached gives the rules that would have decided for a unit had they held: those before the
// one that did, or all.
func (r *Rules) earnersNotReached(took func(string) bool) []earn {
	var before []earn
	for _, u := range []ledger.Unit{ledger.Care, ledger.Youth} {
		for _, e := range r.earn {
			if e.unit != u {
				continue
			}
			if took(e.id) {
				break
			}
			before = append(before, e)
		}
	}
	return before
}

// nearly reports a limit of which a tenth or less is left after a claim that earned in its unit.
func (l limit) nearly(f ClaimFacts, d Decision) (Near, bool) {
	earned := d.Earned.Youth
	if l.unit == ledger.Care {
		earned = d.Earned.Care
		if l.per != perStored {
			earned += d.Earned.Pooled
		}
	}
	used := f.earned(l.unit, l.per) + earned
	return Near{Rule: l.id, Used: used, Most: l.most}, earned > 0 && used*nearTenth >= l.most*(nearTenth-1)
}

// NearWords tells how near a rule was, as people read it.
func (r *Rules) NearWords(n Near, lang Lang) string {
	text := r.texts[n.Rule].text.in(lang)
	if lang == Chinese {
		return "接近适用：" + text + n.chinese() + "（规则 " + n.Rule + "）"
	}
	return "nearly: " + text + n.english() + " (rule " + n.Rule + ")"
}

func (n Near) english() string {
	switch {
	case n.Most > 0:
		return fmt.Sprintf(": %s of %s are used, %s are left", n.Used, n.Most, n.Most-n.Used)
	case n.Fact != "":
		return fmt.Sprintf(": it asks for %s, and %s is %d", n.Asks, n.Fact, n.Value)
	default:
		return fmt.Sprintf(": it asks for %s, which was not so", n.Asks)
	}
}

func (n Near) chinese() string {
	switch {
	case n.Most > 0:
		return fmt.Sprintf("：已计 %s，上限 %s，尚余 %s", n.Used.Chinese(), n.Most.Chinese(), (n.Most - n.Used).Chinese())
	case n.Fact != "":
		return fmt.Sprintf("：要求 %s，实际 %s 为 %d", n.Asks, n.Fact, n.Value)
	default:
		return fmt.Sprintf("：要求 %s，未满足", n.Asks)
	}
}

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
// were so, and that one was missed by a yes or no, or by little; or it is a limit that is nearly used up.
type Near struct {
	Rule  string
	Asks  string         // what was not so, as the rule writes it: "age >= 60"
	Fact  string         // the number it compares; "" for a yes or no
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
	fact    string // of a comparison of a fact with a whole number
	bound   int64
}

// partsOf takes a condition apart at its outermost &&.
func (c compiler) partsOf(whole *cel.Ast) ([]part, error) {
	var parts []part
	for _, e := range conjuncts(whole.NativeRep().Expr()) {
		text, err := celparser.Unparse(e, whole.NativeRep().SourceInfo())
		if err != nil {
			return nil, err
		}
		text = strings.Join(strings.Fields(text), " ")
		compiled, issues := c.env.Compile(text)
		if issues.Err() != nil {
			return nil, issues.Err()
		}
		program, err := c.env.Program(compiled, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(conditionCostMax))
		if err != nil {
			return nil, err
		}
		p := part{text: text, program: program}
		p.fact, p.bound = comparison(e)
		parts = append(parts, p)
	}
	return parts, nil
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

// comparison reads "age >= 60" as the fact and the number; anything else has no fact.
func comparison(e ast.Expr) (fact string, bound int64) {
	if e.Kind() != ast.CallKind {
		return "", 0
	}
	call := e.AsCall()
	orders := []string{operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals}
	if !slices.Contains(orders, call.FunctionName()) || len(call.Args()) != 2 {
		return "", 0
	}
	left, right := call.Args()[0], call.Args()[1]
	if left.Kind() != ast.IdentKind || right.Kind() != ast.LiteralKind {
		return "", 0
	}
	n, ok := right.AsLiteral().(types.Int)
	if !ok {
		return "", 0
	}
	return left.AsIdent(), int64(n)
}

// missedBy gives the one part that did not hold, when the condition nearly did.
func (c condition) missedBy(facts interpreter.Activation) (Near, bool) {
	missed := -1
	for i, p := range c.parts {
		out, _, err := p.program.Eval(facts)
		if err != nil {
			return Near{}, false
		}
		if out == types.True {
			continue
		}
		if missed >= 0 {
			return Near{}, false
		}
		missed = i
	}
	if missed < 0 {
		return Near{}, false
	}
	p := c.parts[missed]
	near := Near{Asks: p.text, Fact: p.fact}
	if p.fact == "" {
		return near, len(c.parts) > 1 // a rule that asks one yes or no is not nearly anything
	}
	value, _ := facts.ResolveName(p.fact)
	near.Value, _ = value.(int64)
	return near, max(near.Value-p.bound, p.bound-near.Value) <= max(1, p.bound/nearTenth)
}

// Nearly lists the rules that took no part in deciding a claim and nearly did, in the set's order.
func (r *Rules) Nearly(f ClaimFacts) ([]Near, error) {
	d, err := r.Decide(f)
	if err != nil {
		return nil, err
	}
	view := claimView{f: &f, grade: d.Grade, days: &r.workdays}
	took := func(rule string) bool {
		return slices.ContainsFunc(d.Steps, func(s Step) bool { return s.Rule == rule })
	}
	var all []Near
	ask := func(rule string, c condition) {
		if n, ok := c.missedBy(view); ok && !took(rule) {
			n.Rule = rule
			all = append(all, n)
		}
	}
	for i, g := range ledger.Grades {
		if g == d.Grade {
			break
		}
		ask(gradeID(g), r.grades[i])
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

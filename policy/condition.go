package policy

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"
)

// conditionCostMax bounds the steps of one evaluation: the longest shipped condition costs about ten.
const conditionCostMax = 10_000

// conditionBytesMax bounds the text of a condition; one that is longer nobody can read aloud.
const conditionBytesMax = 500

// condition is a compiled CEL expression that is true or false of facts.
type condition struct {
	text    string
	program cel.Program
	plain   plainYes        // says the same, where the condition is plain
	uses    map[string]bool // the facts it names
	parts   []part          // what must hold at once, to tell how near it came
}

// compiler compiles conditions over one set of facts.
type compiler struct {
	env   *cel.Env
	names string // of the facts, for whoever wrote another
}

func newCompiler(facts []fact) (compiler, error) {
	options, names := make([]cel.EnvOption, len(facts)), make([]string, len(facts))
	for i, f := range facts {
		options[i], names[i] = cel.Variable(f.name, f.typ), f.name
	}
	env, err := cel.NewEnv(append(options, cel.EnableMacroCallTracking())...) // tracked, so that parts can be told as written
	return compiler{env, strings.Join(names, ", ")}, err
}

func (c compiler) compile(text string) (condition, error) {
	if len(text) > conditionBytesMax {
		return condition{}, fmt.Errorf("a condition has at most %d bytes, not %d", conditionBytesMax, len(text))
	}
	ast, issues := c.env.Compile(text)
	if issues.Err() != nil {
		first := issues.Errors()[0] // what follows a first mistake is often only its shadow
		return condition{}, fmt.Errorf("condition %q, at character %d: %s; the facts here are %s",
			text, first.Location.Column()+1, strings.TrimSuffix(first.Message, " (in container '')"), c.names)
	}
	if ast.OutputType() != cel.BoolType {
		return condition{}, fmt.Errorf("condition %q is of type %s, not true or false", text, ast.OutputType())
	}
	if strange := strangeTypes(ast); len(strange) > 0 {
		return condition{}, fmt.Errorf("condition %q uses a value of type %s; rules know whole numbers, texts and lists of them", text, strange[0])
	}
	program, err := c.env.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(conditionCostMax))
	if err != nil {
		return condition{}, fmt.Errorf("condition %q: %w", text, err)
	}
	parts, err := c.partsOf(ast)
	if err != nil {
		return condition{}, fmt.Errorf("condition %q: %w", text, err)
	}
	return condition{text, program, plainReader{ast.NativeRep()}.yes(ast.NativeRep().Expr()), namesIn(ast), parts}, nil
}

// namesIn gives the facts that an expression names.
func namesIn(ast *cel.Ast) map[string]bool {
	names := map[string]bool{}
	for _, ref := range ast.NativeRep().ReferenceMap() {
		if ref.Name != "" {
			names[ref.Name] = true
		}
	}
	return names
}

// strangeTypes lists the types in an expression that would let fractions, the clock or anything untyped
// into a decision.
func strangeTypes(ast *cel.Ast) (names []string) {
	for _, t := range ast.NativeRep().TypeMap() {
		switch t.Kind() {
		case types.DoubleKind, types.TimestampKind, types.DurationKind, types.DynKind, types.AnyKind:
			names = append(names, t.String())
		}
	}
	slices.Sort(names)
	return names
}

// holds evaluates the condition.
func (c *condition) holds(facts interpreter.Activation) (bool, error) {
	if c.plain != nil {
		if yes, sure := c.plain(facts); sure {
			return yes, nil
		}
	}
	out, _, err := c.program.Eval(facts)
	if err != nil {
		return false, fmt.Errorf("condition %q: %w", c.text, err)
	}
	return out == types.True, nil
}

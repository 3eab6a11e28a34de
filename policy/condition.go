package policy

import (
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"
)

// conditionCostMax bounds the steps of one evaluation: the longest shipped condition costs about ten.
const conditionCostMax = 10_000

// condition is a compiled CEL expression that is true or false of facts.
type condition struct {
	text    string
	program cel.Program
}

// compiler compiles conditions over one set of facts.
type compiler struct{ env *cel.Env }

func newCompiler(facts []fact) (compiler, error) {
	options := make([]cel.EnvOption, len(facts))
	for i, f := range facts {
		options[i] = cel.Variable(f.name, f.typ)
	}
	env, err := cel.NewEnv(options...)
	return compiler{env}, err
}

func (c compiler) compile(text string) (condition, error) {
	ast, issues := c.env.Compile(text)
	if issues.Err() != nil {
		return condition{}, fmt.Errorf("condition %q: %w", text, issues.Err())
	}
	if ast.OutputType() != cel.BoolType {
		return condition{}, fmt.Errorf("condition %q is of type %s, not true or false", text, ast.OutputType())
	}
	for _, t := range ast.NativeRep().TypeMap() {
		switch t.Kind() {
		case types.DoubleKind, types.TimestampKind, types.DurationKind, types.DynKind, types.AnyKind:
			return condition{}, fmt.Errorf("condition %q uses a value of type %s; rules know whole numbers, texts and lists of them", text, t)
		}
	}
	program, err := c.env.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(conditionCostMax))
	if err != nil {
		return condition{}, fmt.Errorf("condition %q: %w", text, err)
	}
	return condition{text, program}, nil
}

// holds evaluates the condition.
func (c condition) holds(facts interpreter.Activation) (bool, error) {
	out, _, err := c.program.Eval(facts)
	if err != nil {
		return false, fmt.Errorf("condition %q: %w", c.text, err)
	}
	return out == types.True, nil
}

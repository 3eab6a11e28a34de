package policy

import (
	"math"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/cost"
)

// conditionCostMax bounds the steps of one evaluation: the longest shipped condition costs about ten.
const conditionCostMax = 10_000

// factSizeMax is how long a text in bytes, and a list in items, is taken to be at most: the book takes no longer text of
// a claim or a hold (ledger.ActivityBytesMax), and lists are of roles and of options. Were a fact longer, as in a log
// that somebody else wrote, what runs uncounted takes time in proportion to it, and no more.
const factSizeMax = 1 << 10

// program makes a condition ready to run. What can be shown never to take too many steps, as every condition
// without a loop over a list, runs without counting them: counting takes longer than the steps themselves.
func (c compiler) program(ast *cel.Ast) (cel.Program, error) {
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	if c.stepsMax(ast) > conditionCostMax {
		options = append(options, cel.CostLimit(conditionCostMax))
	}
	return c.env.Program(ast, options...)
}

// stepsMax gives the most steps that an evaluation can take.
func (c compiler) stepsMax(ast *cel.Ast) uint64 {
	estimate, err := c.env.EstimateCost(ast, factSizes{})
	if err != nil {
		return math.MaxUint64
	}
	return estimate.Max
}

// factSizes tells CEL how large facts are at most.
type factSizes struct{}

// EstimateSize is part of CEL's interface. What is computed has a size of its own.
func (factSizes) EstimateSize(of cost.AstNode) *cost.SizeEstimate {
	if size := of.ComputedSize(); size != nil {
		return size
	}
	return &cost.SizeEstimate{Min: 0, Max: factSizeMax}
}

// EstimateCallCost is part of CEL's interface: functions cost what CEL says.
func (factSizes) EstimateCallCost(_, _ string, _ *cost.AstNode, _ []cost.AstNode) *cost.CallEstimate {
	return nil
}

package policy

import (
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"
)

// Most conditions compare a fact or two with a number or a word, and are asked of every claim that is recorded, and again
// when a book is verified. CEL takes a microsecond for what is a comparison. So a condition of such parts is also
// kept as a plain function of the facts; when anything is not plain (a sum that overflows, a text so long that CEL's bound on
// cost could decide) it is not sure, and CEL is asked. That the two say the same is tested.
type (
	plainYes  func(facts interpreter.Activation) (yes, sure bool)
	plainInt  func(facts interpreter.Activation) (n int64, sure bool)
	plainText func(facts interpreter.Activation) (s string, sure bool)
	plainList func(facts interpreter.Activation) (list []string, sure bool)
)

// Beyond these CEL is asked: no condition of conditionBytesMax bytes over shorter texts and lists comes near
// conditionCostMax.
const (
	plainTextBytesMax = 256
	plainListMax      = 32
)

// plainReader reads the syntax tree of a condition; what it gives is nil where the condition is not plain.
type plainReader struct{ tree *ast.AST }

func (p plainReader) yes(e ast.Expr) plainYes {
	switch e.Kind() {
	case ast.LiteralKind:
		b, ok := e.AsLiteral().(types.Bool)
		return plain(ok, func(interpreter.Activation) (bool, bool) { return bool(b), true })
	case ast.IdentKind:
		name := e.AsIdent()
		return func(facts interpreter.Activation) (bool, bool) { return factAs[bool](facts, name) }
	case ast.CallKind:
		return p.call(e.AsCall())
	default:
		return nil
	}
}

// plain gives f, or nil.
func plain[F any](ok bool, f F) F {
	if !ok {
		var none F
		return none
	}
	return f
}

// factAs gives the fact of a name; not sure when it is of another type.
func factAs[T any](facts interpreter.Activation, name string) (value T, sure bool) {
	v, ok := facts.ResolveName(name)
	if !ok {
		return value, false
	}
	value, sure = v.(T)
	return value, sure
}

func (p plainReader) call(call ast.CallExpr) plainYes {
	args := call.Args()
	switch name := call.FunctionName(); name {
	case operators.LogicalAnd, operators.LogicalOr:
		return p.all(args, name == operators.LogicalOr)
	case operators.LogicalNot:
		not := p.yes(args[0])
		return plain(not != nil, func(facts interpreter.Activation) (bool, bool) {
			yes, sure := not(facts)
			return !yes, sure
		})
	case operators.In:
		return p.in(args[0], args[1])
	default:
		return p.compare(name, args)
	}
}

// all gives whether all hold, or for or whether any does. Like CEL it stops at the first that decides.
func (p plainReader) all(args []ast.Expr, or bool) plainYes {
	parts := make([]plainYes, len(args))
	for i, a := range args {
		if parts[i] = p.yes(a); parts[i] == nil {
			return nil
		}
	}
	return func(facts interpreter.Activation) (bool, bool) {
		for _, part := range parts {
			if yes, sure := part(facts); !sure || yes == or {
				return yes, sure
			}
		}
		return !or, true
	}
}

func (p plainReader) compare(name string, args []ast.Expr) plainYes {
	if len(args) != 2 {
		return nil
	}
	left, right := p.kind(args[0]), p.kind(args[1])
	switch {
	case left != right:
		return nil
	case left == types.IntKind:
		return compared(p.whole(args[0]), p.whole(args[1]), orders[int64]()[name])
	case left == types.StringKind:
		return compared(p.text(args[0]), p.text(args[1]), orders[string]()[name])
	default:
		return nil
	}
}

func (p plainReader) kind(e ast.Expr) types.Kind {
	if t := p.tree.GetType(e.ID()); t != nil {
		return t.Kind()
	}
	return types.DynKind
}

func orders[T int64 | string]() map[string]func(a, b T) bool {
	return map[string]func(a, b T) bool{
		operators.Equals: func(a, b T) bool { return a == b }, operators.NotEquals: func(a, b T) bool { return a != b },
		operators.Less: func(a, b T) bool { return a < b }, operators.LessEquals: func(a, b T) bool { return a <= b },
		operators.Greater: func(a, b T) bool { return a > b }, operators.GreaterEquals: func(a, b T) bool { return a >= b },
	}
}

func compared[T any, F ~func(interpreter.Activation) (T, bool)](left, right F, order func(a, b T) bool) plainYes {
	if left == nil || right == nil || order == nil {
		return nil
	}
	return func(facts interpreter.Activation) (bool, bool) {
		a, sure := left(facts)
		if !sure {
			return false, false
		}
		b, sure := right(facts)
		return sure && order(a, b), sure
	}
}

func (p plainReader) whole(e ast.Expr) plainInt {
	switch e.Kind() {
	case ast.LiteralKind:
		n, ok := e.AsLiteral().(types.Int)
		return plain(ok, func(interpreter.Activation) (int64, bool) { return int64(n), true })
	case ast.IdentKind:
		name := e.AsIdent()
		return func(facts interpreter.Activation) (int64, bool) { return factAs[int64](facts, name) }
	case ast.CallKind:
		return p.sum(e.AsCall())
	default:
		return nil
	}
}

// sum gives a sum or a difference, of numbers so small that it cannot overflow.
func (p plainReader) sum(call ast.CallExpr) plainInt {
	const small = 1 << 32
	args, name := call.Args(), call.FunctionName()
	if len(args) != 2 || p.kind(args[0]) != types.IntKind || p.kind(args[1]) != types.IntKind || name != operators.Add && name != operators.Subtract && name != operators.Multiply {
		return nil
	}
	left, right := p.whole(args[0]), p.whole(args[1])
	return plain(left != nil && right != nil, func(facts interpreter.Activation) (int64, bool) {
		a, sure := left(facts)
		b, sure2 := right(facts)
		sure = sure && sure2 && a > -small && a < small && b > -small && b < small
		switch {
		case !sure:
			return 0, false
		case name == operators.Add:
			return a + b, true
		case name == operators.Subtract:
			return a - b, true
		default:
			return a * b, a > -1<<31 && a < 1<<31 && b > -1<<31 && b < 1<<31
		}
	})
}

func (p plainReader) text(e ast.Expr) plainText {
	switch e.Kind() {
	case ast.LiteralKind:
		s, ok := e.AsLiteral().(types.String)
		return plain(ok, func(interpreter.Activation) (string, bool) { return string(s), true })
	case ast.IdentKind:
		name := e.AsIdent()
		return func(facts interpreter.Activation) (string, bool) {
			s, ok := factAs[string](facts, name)
			return s, ok && len(s) <= plainTextBytesMax
		}
	default:
		return nil
	}
}

// in gives whether a list has a text.
func (p plainReader) in(word, list ast.Expr) plainYes {
	if p.kind(word) != types.StringKind || p.kind(list) != types.ListKind {
		return nil
	}
	one, all := p.text(word), p.list(list)
	return plain(one != nil && all != nil, func(facts interpreter.Activation) (bool, bool) {
		s, sure := one(facts)
		if !sure {
			return false, false
		}
		texts, sure := all(facts)
		found := false
		for _, t := range texts {
			found, sure = found || t == s, sure && len(t) <= plainTextBytesMax
		}
		return found, sure && len(texts) <= plainListMax
	})
}

func (p plainReader) list(e ast.Expr) plainList {
	switch e.Kind() {
	case ast.IdentKind:
		name := e.AsIdent()
		return func(facts interpreter.Activation) ([]string, bool) { return factAs[[]string](facts, name) }
	case ast.ListKind:
		var words []string
		for _, x := range e.AsList().Elements() {
			if x.Kind() != ast.LiteralKind {
				return nil
			}
			s, ok := x.AsLiteral().(types.String)
			if !ok {
				return nil
			}
			words = append(words, string(s))
		}
		return func(interpreter.Activation) ([]string, bool) { return words, true }
	default:
		return nil
	}
}

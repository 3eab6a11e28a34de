package policy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// Bounds on nesting; a rule set needs one bracket, and lists that begin in the first columns.
const (
	nestingMax     = 4
	entryColumnMax = 40
)

// word is a scalar of the document as its author wrote it, with its line, so that a fault found long
// after reading can still be shown where it stands.
type word struct {
	value string
	line  int
}

// UnmarshalYAML takes a text, a number or true and false as written; what they mean is decided later.
func (w *word) UnmarshalYAML(n ast.Node) error {
	w.line = n.GetToken().Position.Line
	switch n := n.(type) {
	case *ast.StringNode:
		w.value = n.Value
	case *ast.LiteralNode:
		w.value = n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		w.value = n.GetToken().Value
	case *ast.NullNode:
	default:
		return &faultAt{w.line, "a plain text is expected here"}
	}
	return nil
}

// checkTokens refuses anchors, aliases, merges and tags: a rule set says what it says where it says it,
// and is never larger than its text. It also bounds nesting, on which the YAML reader spends time.
func checkTokens(source string) error {
	depth := 0
	for _, t := range lexer.Tokenize(source) {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType, token.TagType:
			return &faultAt{t.Position.Line, "a rule set uses no anchors, aliases, merges or tags of YAML: say it in full"}
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		}
		if depth > nestingMax || t.Type == token.SequenceEntryType && t.Position.Column > entryColumnMax {
			return &faultAt{t.Position.Line, "lists are nested too deep for a rule set"}
		}
	}
	return nil
}

func (w word) blank() bool { return strings.TrimSpace(w.value) == "" }

// whole reads a whole number; what is none gives false.
func (w word) whole() (int64, bool) {
	n, err := strconv.ParseInt(w.value, 10, 64)
	return n, err == nil
}

// lineOf gives the line of the first word that stands in the document, or 1.
func lineOf(words ...word) int {
	for _, w := range words {
		if w.line > 0 {
			return w.line
		}
	}
	return 1
}

// faultAt is a fault of a document at a line.
type faultAt struct {
	line int
	text string
}

func (e *faultAt) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.text) }

// readingFault puts an error of the YAML reader into one line that begins with where it is.
func readingFault(err error) error {
	var at *faultAt
	if errors.As(err, &at) {
		return at
	}
	var y yaml.Error
	if errors.As(err, &y) && y.GetToken() != nil {
		return &faultAt{y.GetToken().Position.Line, strings.Join(strings.Fields(y.GetMessage()), " ")}
	}
	return &faultAt{1, err.Error()}
}

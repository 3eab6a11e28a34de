package sheet

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/big"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"

	"timebank/ledger"
)

// swallowed refuses a cell over several lines one of which looks like a row: a quote was opened and not
// closed, and the rows after it would be lost in silence.
func swallowed(row []string, width, line int) error {
	if width < 2 {
		return nil
	}
	for _, cell := range row {
		if !strings.Contains(cell, "\n") {
			continue
		}
		for text := range strings.Lines(cell) {
			if strings.Count(text, ",") >= width-1 {
				return refuse("the row at line %d has a cell that runs over other rows: a quote is opened there and not closed", line)
			}
		}
	}
	return nil
}

// mixed refuses a text that is UTF-8 but for a few bytes: read as GB18030 it would be recorded as nonsense.
func mixed(file []byte) error {
	line, valid, broken, first := 1, 0, 0, 0
	for i := 0; i < len(file); {
		r, size := utf8.DecodeRune(file[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			if broken++; first == 0 {
				first = line
			}
		case size >= 3:
			valid++
		case r == '\n':
			line++
		}
		i += size
	}
	const few = 4 // in GB18030 hardly any three bytes in a row are UTF-8 by chance
	if valid > few*broken {
		return refuse("line %d has a byte that is not UTF-8, and the rest is", first)
	}
	return nil
}

// decimalNumber is a number that a spreadsheet keeps in binary: with a fraction or an exponent.
var decimalNumber = regexp.MustCompile(`^-?[0-9]{1,20}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?$`)

// shown gives a number as a spreadsheet shows it, with 15 significant digits at most: 0.17499999999999999
// was typed as 0.175.
func shown(cell string) string {
	if !strings.ContainsAny(cell, ".eE") || !decimalNumber.MatchString(cell) {
		return cell
	}
	n, ok := new(big.Rat).SetString(cell)
	if !ok {
		return cell
	}
	const significant = 15
	whole := new(big.Int).Quo(new(big.Int).Abs(n.Num()), n.Denom())
	places := significant - 1
	if whole.Sign() > 0 {
		places = max(0, significant-len(whole.String()))
	} else { // zeros behind the point are not significant
		for scaled := new(big.Rat).Abs(n); scaled.Sign() > 0 && scaled.Cmp(big.NewRat(1, 10)) < 0; places++ {
			scaled.Mul(scaled, big.NewRat(10, 1))
		}
		places++
	}
	text := n.FloatString(places) // exact decimal arithmetic, whatever its name says
	if strings.Contains(text, ".") {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// trimmed drops blank cells beyond the columns that have a name.
func trimmed(cells []string, width int) []string {
	for len(cells) > width && strings.TrimSpace(cells[len(cells)-1]) == "" {
		cells = cells[:len(cells)-1]
	}
	return cells
}

const profileNestingMax = 20

// checkProfile refuses what would make a small profile a large one: anchors, aliases, deep nesting.
func checkProfile(text []byte) error {
	depth := 0
	for _, t := range lexer.Tokenize(string(bytes.ToValidUTF8(text, nil))) {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType, token.TagType:
			return fmt.Errorf("%w: profile: line %d: anchors, aliases, merges and tags of YAML are not used here", ledger.ErrInvalid, t.Position.Line)
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		}
		if depth > profileNestingMax || t.Type == token.SequenceEntryType && t.Position.Column > 2*profileNestingMax {
			return fmt.Errorf("%w: profile: line %d: lists are nested too deep", ledger.ErrInvalid, t.Position.Line)
		}
	}
	return nil
}

// wholeParts are the ends of the parts of an XLSX file that hold cells.
var wholeParts = map[string]*regexp.Regexp{
	"xl/worksheets/":    regexp.MustCompile(`</([A-Za-z0-9]+:)?worksheet>\s*$`),
	"xl/sharedStrings.": regexp.MustCompile(`(</([A-Za-z0-9]+:)?sst>|<([A-Za-z0-9]+:)?sst[^>]*/>)\s*$`),
}

// checkWhole refuses an XLSX file a part of which was cut off: its reader would give the rows before the cut
// and say nothing.
func checkWhole(file []byte) error {
	archive, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return refuse("it is not an XLSX file that can be read: %w", err)
	}
	for _, part := range archive.File {
		for prefix, end := range wholeParts {
			if !strings.HasPrefix(part.Name, prefix) || !strings.HasSuffix(part.Name, ".xml") {
				continue
			}
			tail, err := tailOf(part)
			if err != nil || !end.Match(tail) {
				return refuse("its part %s cannot be read to the end: it was cut off, send it again", clip(part.Name))
			}
		}
	}
	return nil
}

// tailOf gives the last bytes of a part; all of it passes through, bounded as the reader's own unpacking is.
func tailOf(part *zip.File) ([]byte, error) {
	content, err := part.Open()
	if err != nil {
		return nil, err
	}
	defer content.Close()
	const most = 256
	var tail []byte
	chunk := make([]byte, 64<<10)
	for total := 0; ; {
		n, err := content.Read(chunk)
		if total += n; total > unzipMax {
			return nil, errors.New("it unpacks to too much")
		}
		tail = append(tail, chunk[:n]...)
		tail = append(tail[:0:0], tail[max(0, len(tail)-most):]...)
		switch {
		case errors.Is(err, io.EOF):
			return tail, nil
		case err != nil:
			return nil, err
		}
	}
}

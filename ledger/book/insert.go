package book

import (
	"context"
	"database/sql/driver"
	"regexp"
	"strconv"
	"strings"
)

// insert is a statement that adds rows to one table; without a query it adds none.
type insert struct {
	query string // a constant
	args  []any
}

// encode writes the arguments as they are sent. It is done when a batch is decided, and not in its turn.
func (i *insert) encode() error {
	for n, arg := range i.args {
		if a, ok := arg.(driver.Valuer); ok {
			v, err := a.Value()
			if err != nil {
				return err
			}
			i.args[n] = v
		}
	}
	return nil
}

// insert runs several inserts as one statement, each but the last in a WITH. What a batch sends to PostgreSQL and
// waits for is its time where few ask, and where many do each wait is one more for a core. The tables' checks
// run when all rows are there.
func (w *writeTx) insert(ctx context.Context, inserts []insert) error {
	var queries []string
	var args []any
	for _, i := range inserts {
		if i.query != "" {
			queries, args = append(queries, i.query), append(args, i.args...)
		}
	}
	if len(queries) == 0 {
		return nil
	}
	_, err := w.ExecContext(ctx, w.statements.join(queries), args...)
	return err
}

// join makes one statement of several, once.
func (s *statements) join(queries []string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := strings.Join(queries, ";")
	text, ok := s.joined[name]
	if !ok {
		text = join(queries)
		s.joined[name] = text
	}
	return text
}

var parameter = regexp.MustCompile(`\$[0-9]+`)

// join makes one statement of several, in which the parameters of each follow those of the one before.
func join(queries []string) string {
	var b strings.Builder
	before := 0
	for i, query := range queries {
		most := 0
		query = parameter.ReplaceAllStringFunc(query, func(p string) string {
			n, _ := strconv.Atoi(p[1:]) // it is of digits
			most = max(most, n)
			return "$" + strconv.Itoa(before+n)
		})
		before += most
		switch {
		case i == len(queries)-1:
			b.WriteString("\n" + query)
		case i == 0:
			b.WriteString("WITH t0 AS (" + query + ")")
		default:
			b.WriteString(",\n\tt" + strconv.Itoa(i) + " AS (" + query + ")")
		}
	}
	return b.String()
}

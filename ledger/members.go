package ledger

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Members writes the members of a JSON object one by one, in the order they are added, as the details of entries
// and receipts have them: without spaces, and with what is empty left out where the method says so. The zero value is an
// object without members. It writes what json.Marshal writes of a struct with the same members, for those that are
// written for every claim; that the two agree is tested where it is used.
type Members struct {
	text []byte
	err  error
}

// membersBytes has room for the details of most claims.
const membersBytes = 1024

// MembersIn gives an object without members that is written into a room, as long as it fits.
func MembersIn(room []byte) Members { return Members{text: room[:0]} }

// name begins a member. No value ends with an opening brace.
func (m *Members) name(name string) {
	switch {
	case m.text == nil:
		m.text = append(make([]byte, 0, membersBytes), '{')
	case len(m.text) == 0:
		m.text = append(m.text, '{')
	case m.text[len(m.text)-1] != '{':
		m.text = append(m.text, ',')
	}
	m.text = append(append(append(m.text, '"'), name...), '"', ':')
}

// Text adds a text.
func (m *Members) Text(name, value string) {
	m.name(name)
	var err error
	if m.text, err = jsontext.AppendQuote(m.text, value); err != nil && m.err == nil {
		m.err = err
	}
}

// TextUnlessEmpty adds a text that is not empty.
func (m *Members) TextUnlessEmpty(name, value string) {
	if value != "" {
		m.Text(name, value)
	}
}

// Int adds a whole number.
func (m *Members) Int(name string, value int64) {
	m.name(name)
	m.text = strconv.AppendInt(m.text, value, 10)
}

// IntUnlessZero adds a whole number that is not zero.
func (m *Members) IntUnlessZero(name string, value int64) {
	if value != 0 {
		m.Int(name, value)
	}
}

// Bool adds a yes or no.
func (m *Members) Bool(name string, value bool) {
	m.name(name)
	m.text = strconv.AppendBool(m.text, value)
}

// BoolIfSo adds a yes, and no no.
func (m *Members) BoolIfSo(name string, value bool) {
	if value {
		m.Bool(name, value)
	}
}

// Value adds a value that is JSON already.
func (m *Members) Value(name string, json []byte) {
	m.name(name)
	m.text = append(m.text, json...)
}

// Object adds an object, whose members are added to the same Members meanwhile.
func (m *Members) Object(name string, add func(m *Members)) {
	m.name(name)
	m.object(add)
}

// Objects adds a list of n objects.
func (m *Members) Objects(name string, n int, add func(m *Members, i int)) {
	m.name(name)
	m.list(n, func(i int) { m.object(func(m *Members) { add(m, i) }) })
}

// Texts adds a list of texts.
func (m *Members) Texts(name string, n int, of func(i int) string) {
	m.name(name)
	m.list(n, func(i int) {
		var err error
		if m.text, err = jsontext.AppendQuote(m.text, of(i)); err != nil && m.err == nil {
			m.err = err
		}
	})
}

// Ints adds a list of whole numbers.
func (m *Members) Ints(name string, values ...int64) {
	m.name(name)
	m.list(len(values), func(i int) { m.text = strconv.AppendInt(m.text, values[i], 10) })
}

func (m *Members) list(n int, item func(i int)) {
	m.text = append(m.text, '[')
	for i := range n {
		if i > 0 {
			m.text = append(m.text, ',')
		}
		item(i)
	}
	m.text = append(m.text, ']')
}

func (m *Members) object(add func(m *Members)) {
	m.text = append(m.text, '{')
	add(m)
	m.text = append(m.text, '}')
}

// JSON gives the object. The error is of a text that is no UTF-8.
func (m *Members) JSON() ([]byte, error) {
	if len(m.text) == 0 {
		return []byte("{}"), m.err
	}
	return append(m.text, '}'), m.err
}

package book

import (
	"encoding/binary"
	"errors"

	"github.com/google/uuid"

	"timebank/ledger"
)

// wire reads rows as PostgreSQL's record_send writes them: the number of columns, and of each its type, its length and
// its bytes. All rows of a table and page come as one value, of which texts are parts that are not copied:
// a driver that makes each value of each row by itself costs more than all that is checked of them.
type wire struct {
	rest []byte
	err  error
	bare bool // rows have no head: whoever reads one knows its columns
	ids  *idTexts
}

var errWire = errors.New("a row is not as record_send writes it")

// next goes to the next row, if there is one.
func (w *wire) next() bool {
	if w.err != nil || len(w.rest) == 0 {
		return false
	}
	if !w.bare {
		w.take(4)
	}
	return w.err == nil
}

func (w *wire) take(n int) []byte {
	if n < 0 || n > len(w.rest) {
		w.err, w.rest = errWire, nil
		return nil
	}
	taken := w.rest[:n:n]
	w.rest = w.rest[n:]
	return taken
}

// bytes gives a column as it is; nil where it is NULL.
func (w *wire) bytes() []byte {
	head := w.take(8)
	if head == nil {
		return nil
	}
	n := int32(binary.BigEndian.Uint32(head[4:]))
	if n < 0 {
		return nil
	}
	return w.take(int(n))
}

// number gives an integer of any size, a date or an instant in PostgreSQL's count; other where it is NULL.
func (w *wire) number(other int64) int64 {
	if n, ok := w.numberOrNull(); ok {
		return n
	}
	return other
}

func (w *wire) numberOrNull() (n int64, ok bool) {
	b := w.bytes()
	switch {
	case b == nil:
		return 0, false
	case len(b) == 8:
		return int64(binary.BigEndian.Uint64(b)), true
	case len(b) == 4:
		return int64(int32(binary.BigEndian.Uint32(b))), true
	case len(b) == 2:
		return int64(int16(binary.BigEndian.Uint16(b))), true
	default:
		w.err = errWire
		return 0, false
	}
}

func (w *wire) yes() bool {
	b := w.bytes()
	return len(b) == 1 && b[0] != 0
}

func (w *wire) text() string { return string(w.bytes()) }

func (w *wire) seq() ledger.Seq { return ledger.Seq(w.number(-1)) }

func (w *wire) minutes() ledger.Minutes { return ledger.Minutes(w.number(0)) }

// id gives a UUID as text; empty where it is NULL.
func (w *wire) id() string {
	b := w.bytes()
	switch len(b) {
	case 0:
		return ""
	case len(uuid.UUID{}):
		return w.ids.text(uuid.UUID(b))
	default:
		w.err = errWire
		return ""
	}
}

// idTexts gives one text for each id, however often it is read: most of what is kept of entries is whom they are about.
type idTexts struct {
	owners map[uuid.UUID]string // of accounts; read by several at once and never changed
	others map[uuid.UUID]string // of clients and redemptions; one goroutine's own
}

// idTextsMax bounds those of which nobody says how many there are; a redemption's comes twice and never again.
const idTextsMax = 4096

func (t *idTexts) text(id uuid.UUID) string {
	if s, ok := t.owners[id]; ok {
		return s
	}
	if s, ok := t.others[id]; ok {
		return s
	}
	if len(t.others) >= idTextsMax {
		clear(t.others)
	}
	s := id.String()
	t.others[id] = s
	return s
}

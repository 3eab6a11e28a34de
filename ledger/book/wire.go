package book

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/google/uuid"

	"timebank/ledger"
)

// wire reads rows as PostgreSQL's record_send writes them: the number of columns, and of each its type, its length and
// its bytes. All rows of a table and page come as one value, of which texts are parts that are not copied:
// a driver that makes each value of each row by itself costs more than all that is checked of them.
//
// Whoever has the database in hand may drop NOT NULL and change types, so a reader of a column wants the type and a value.
// Only one whose name ends in OrNull takes a NULL, and then no value that stands for it where one reads.
type wire struct {
	rest  []byte
	err   error
	bare  bool   // rows have no head: whoever reads one knows its columns
	table string // that the rows are of
	odd   bool   // a column of the row is not as the schema has it
	ids   *idTexts
}

var errWire = errors.New("a row is not as record_send writes it")

// next goes to the next row, if there is one.
func (w *wire) next() bool {
	if w.odd = false; w.err != nil || len(w.rest) == 0 {
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

// The types of columns, as pg_type numbers them.
const (
	boolType    = 16
	bytesType   = 17
	int8Type    = 20
	int2Type    = 21
	int4Type    = 23
	textType    = 25
	dateType    = 1082
	instantType = 1184
	uuidType    = 2950
)

// orNull gives a column as it is; nil where it is NULL.
func (w *wire) orNull(kind uint32) []byte {
	head := w.take(8)
	if head == nil {
		return nil
	}
	if binary.BigEndian.Uint32(head) != kind {
		w.odd = true
	}
	n := int32(binary.BigEndian.Uint32(head[4:]))
	if n < 0 {
		return nil
	}
	return w.take(int(n))
}

func (w *wire) column(kind uint32) []byte {
	b := w.orNull(kind)
	if b == nil {
		w.odd = true
	}
	return b
}

// number gives an integer of any size, a date or an instant in PostgreSQL's count.
func (w *wire) number(kind uint32) int64 { return w.integer(w.column(kind)) }

func (w *wire) integer(b []byte) int64 {
	switch len(b) {
	case 8:
		return int64(binary.BigEndian.Uint64(b))
	case 4:
		return int64(int32(binary.BigEndian.Uint32(b)))
	case 2:
		return int64(int16(binary.BigEndian.Uint16(b)))
	default:
		w.odd = true
		return 0
	}
}

// numberOrNull gives -1 for NULL, and takes no -1.
func (w *wire) numberOrNull() int64 {
	b := w.orNull(int8Type)
	if b == nil {
		return -1
	}
	n := w.integer(b)
	w.odd = w.odd || n == -1
	return n
}

func (w *wire) seq() ledger.Seq { return ledger.Seq(w.number(int8Type)) }

func (w *wire) seqOrNull() *ledger.Seq {
	b := w.orNull(int8Type)
	if b == nil {
		return nil
	}
	seq := ledger.Seq(w.integer(b))
	return &seq
}

func (w *wire) minutes() ledger.Minutes { return ledger.Minutes(w.number(int8Type)) }

// postgresEpoch is the instant from which PostgreSQL counts microseconds, postgresEpochDay the day from which it counts days.
const (
	postgresEpoch    = 946_684_800_000_000
	postgresEpochDay = 10_957
)

func (w *wire) instant() time.Time {
	return time.UnixMicro(w.number(instantType) + postgresEpoch).UTC()
}

// date gives a day. The infinite ones come out as days that no entry has.
func (w *wire) date() ledger.Date { return ledger.Date(w.number(dateType) + postgresEpochDay) }

func (w *wire) yes() bool {
	b := w.column(boolType)
	return len(b) == 1 && b[0] != 0
}

func (w *wire) bytes() []byte { return w.column(bytesType) }

// fixed reads bytes of which there are as many as there is room for.
func (w *wire) fixed(into []byte) { w.odd = copyWhole(into, w.bytes()) || w.odd }

// fixedOrNull leaves what is there when there are none.
func (w *wire) fixedOrNull(into []byte) {
	if b := w.orNull(bytesType); b != nil {
		w.odd = copyWhole(into, b) || w.odd
	}
}

// copyWhole reports whether it could not.
func copyWhole(into, b []byte) (odd bool) { return copy(into, b) != len(b) || len(b) != len(into) }

// word gives a text as the bytes that it is a part of.
func (w *wire) word() []byte { return w.column(textType) }

func (w *wire) text() string { return string(w.word()) }

func (w *wire) textOrNull() string {
	b := w.orNull(textType)
	w.odd = w.odd || b != nil && len(b) == 0
	return string(b)
}

// id gives a UUID as text.
func (w *wire) id() string { return w.idText(w.column(uuidType)) }

// idOrNull gives no text for NULL.
func (w *wire) idOrNull() string {
	if b := w.orNull(uuidType); b != nil {
		return w.idText(b)
	}
	return ""
}

func (w *wire) idText(b []byte) string {
	if len(b) != len(uuid.UUID{}) {
		w.odd = true
		return ""
	}
	return w.ids.text(uuid.UUID(b))
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

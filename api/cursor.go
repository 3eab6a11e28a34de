package api

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"timebank/api/gen"
	"timebank/ledger"
)

// cursors makes and reads the opaque cursors of lists. A cursor says after what the next page begins and
// at which log size the walk began, and is bound, by an HMAC, to the caller and to what is listed: it
// cannot be made, changed, lent, or used with another filter.
type cursors struct{ key [32]byte }

func newCursors(key ed25519.PrivateKey) cursors {
	return cursors{sha256.Sum256(append([]byte("timebank cursors\n"), key.Seed()...))}
}

// position is where a walk stands.
type position struct {
	after   int64 // the last thing of the page before; -1 at the start
	logSize int64 // where the walk began
}

const cursorVersion = "1"

func (c cursors) seal(p position, by ledger.Actor, list string) string {
	text := fmt.Sprintf("%s.%d.%d", cursorVersion, p.after, p.logSize)
	return base64.RawURLEncoding.EncodeToString([]byte(text + "." + c.mac(text, by, list)))
}

func (c cursors) mac(text string, by ledger.Actor, list string) string {
	m := hmac.New(sha256.New, c.key[:])
	fmt.Fprintf(m, "%s\n%s\n%s", text, by.Client, list)
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil)[:16])
}

var errCursor = invalid("cursor_malformed", "the cursor is not one that this list gave to this client")

func (c cursors) open(sealed string, by ledger.Actor, list string) (p position, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return p, errCursor
	}
	fields := strings.Split(string(raw), ".")
	if len(fields) != 4 {
		return p, errCursor
	}
	after, err1 := strconv.ParseInt(fields[1], 10, 64)
	logSize, err2 := strconv.ParseInt(fields[2], 10, 64)
	p = position{after, logSize}
	// Sealing it again must give the very same text: so there is one cursor for each position, and no other.
	if err := errors.Join(err1, err2); err != nil || fields[0] != cursorVersion || !hmac.Equal([]byte(c.seal(p, by, list)), []byte(sealed)) {
		return position{}, errCursor
	}
	return p, nil
}

const limitDefault = 100

// page is what a list was asked for.
type page struct {
	position
	limit int
	by    ledger.Actor
	list  string
}

// pageOf reads cursor and limit; list names what is listed, with its filter.
func (s *Server) pageOf(by ledger.Actor, cursor *gen.CursorParam, limit *gen.LimitParam, size int64, list string) (page, error) {
	p := page{position{-1, size}, limitDefault, by, list}
	if limit != nil {
		p.limit = *limit
	}
	if cursor == nil {
		return p, nil
	}
	var err error
	p.position, err = s.cursors.open(*cursor, by, list)
	return p, err
}

// next gives the cursor of the page after this one, when it was full.
func (s *Server) next(p page, found int, last int64) *string {
	if found < p.limit {
		return nil
	}
	c := s.cursors.seal(position{last, p.logSize}, p.by, p.list)
	return &c
}

// pageItems writes the things found for a page that were there when the walk began, and gives the cursor
// of the next page. Things are found in the order of their entries.
func pageItems[T, G any](s *Server, p page, found []T, seqOf func(T) ledger.Seq, show func(T) G) (items []G, next *string) {
	items, last := make([]G, 0, len(found)), p.after
	for _, x := range found {
		if last = int64(seqOf(x)); last >= p.logSize {
			return items, nil
		}
		items = append(items, show(x))
	}
	return items, s.next(p, len(found), last)
}

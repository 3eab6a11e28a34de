package book

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"timebank/ledger"
)

// readDetails says who was looked at. The leaf tells who looked and when.
type readDetails struct {
	What       string   `json:"what"`
	Volunteers []string `json:"volunteers"`
}

// recordRead makes an entry of an operator's or auditor's reading of personal data. It returns when the entry
// is durable, and only then may the data be answered: when the book is busy the reader waits. What the bank's
// own commands read, such as an export without names, is nobody's reading.
func (b *Book) recordRead(ctx context.Context, by ledger.Actor, what string, volunteers ...string) error {
	if by.Role != ledger.RoleOperator && by.Role != ledger.RoleAuditor || by.Client == "" || len(volunteers) == 0 {
		return nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	details, err := encode(readDetails{what, volunteers})
	if err != nil {
		return err
	}
	c := &read{details: details}
	if len(volunteers) == 1 {
		c.volunteer = volunteers[0]
	}
	ctx, cancel := context.WithTimeout(ctx, waitMax)
	defer cancel()
	for {
		_, err := b.do(ctx, by, Key{Text: "read " + id.String()}, c)
		if !errors.Is(err, ErrBusy) {
			return err
		}
		select {
		case <-ctx.Done():
			return ErrBusy
		case <-time.After(busyPause):
		}
	}
}

// busyPause is how long a reader waits before it looks again whether the book has room.
const busyPause = 20 * time.Millisecond

type read struct {
	details   []byte
	volunteer string
}

func (*read) want(*world, *wants) {}

func (c *read) decide(w *world) (decision, error) {
	return decision{effects: []effect{{draft: ledger.Draft{Kind: ledger.KindRead, Effective: w.today, Details: c.details}, volunteer: c.volunteer}}}, nil
}

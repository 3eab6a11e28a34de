package book

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"timebank/ledger"
)

// firstLook is what every batch asks, in one question: what was answered under its keys, the database's clock, which is the
// batch's, and the claims on and beside the days that it claims. While many ask, the processors are busy, and each question waits
// for its answer several times as long as PostgreSQL needs for it. Rows come packed, as for verifying: most batches read many.
type firstLook struct {
	batch []*pending
	days  []volunteerDay // that are known to be asked for
}

const (
	clockAndAnswers = `
		SELECT clock_timestamp() AS now,
		       (SELECT string_agg(record_send(ROW(a.client, a.key, a.request, a.recorded, a.seq, a.subject, a.refusal)), '')
		        FROM unnest($1::uuid[], $2::text[]) AS n (client, key) JOIN answer a ON a.client = n.client AND a.key = n.key) AS answers`
	// claimColumns are what [wire.claimFacts] reads, of a claim c and the correction x of it.
	claimColumns = `c.seq, c.volunteer, c.organization, c.served_on, c.span_from, c.span_to, c.fingerprint, c.minutes, c.care, c.youth, c.pooled, x.seq IS NOT NULL`
)

// read puts what was asked into the world, and gives the time.
func (f firstLook) read(ctx context.Context, q selecter, w *world) (now time.Time, err error) {
	clients, keys := make([]string, 0, len(f.batch)), make([]string, 0, len(f.batch))
	for _, p := range f.batch {
		if !p.dryRun {
			clients, keys = append(clients, clientOf(p.by)), append(keys, p.key.Text)
		}
	}
	query, args := clockAndAnswers, []any{uuids(clients), texts(keys)}
	if len(f.days) > 0 {
		claims, ranges := w.claimsOnDays(f.days, len(args))
		query, args = query+",\n\t\t       ("+claims+") AS claims", append(args, ranges...)
	}
	type firstRow struct {
		Now     time.Time `db:"now"`
		Answers []byte    `db:"answers"`
		Claims  []byte    `db:"claims"`
	}
	row, err := only(selectAll[firstRow](ctx, q, query, args...))
	if err != nil {
		return now, fmt.Errorf("reading answers and claims: %w", err)
	}
	if err := w.putAnswers(row.Answers, len(f.batch)); err != nil {
		return now, err
	}
	return row.Now, w.putClaims(row.Claims)
}

func (w *world) putAnswers(rows []byte, room int) error {
	w.answers = make(map[answerKey]answer, room)
	return eachRow(rows, "answer", func(r *wire) error {
		var side answerSide
		r.answer(&side)
		a, err := side.answer()
		w.answers[a.answerKey] = a
		return err
	})
}

func (w *world) putClaims(rows []byte) error {
	return eachRow(rows, "claim", func(r *wire) error {
		f := r.claimFacts()
		w.claims[f.volunteer] = append(w.claims[f.volunteer], f)
		return nil
	})
}

var errOddRow = errors.New("there is a row" + oddColumn)

// eachRow reads the rows of a table.
func eachRow(rows []byte, table string, read func(*wire) error) error {
	r := &wire{rest: rows, table: table, ids: &idTexts{others: map[uuid.UUID]string{}}}
	for r.next() {
		if err := read(r); err != nil {
			return err
		}
		if r.odd && r.err == nil {
			r.err = errOddRow
		}
	}
	if r.err != nil {
		return fmt.Errorf("reading table %s: %w", table, r.err)
	}
	return nil
}

func (w *wire) claimFacts() *claimFacts {
	f := &claimFacts{seq: w.seq(), volunteer: w.id(), organization: w.id(), servedOn: w.date()}
	if from := w.orNull(int8Type); from != nil {
		f.spanFrom, f.hasSpan = w.integer(from), true
	}
	if to := w.orNull(int8Type); to != nil {
		f.spanTo = w.integer(to)
	}
	copy(f.fingerprint[:], w.bytes())
	f.minutes, f.care, f.youth, f.pooled, f.corrected = w.minutes(), w.minutes(), w.minutes(), w.minutes(), w.yes()
	return f
}

// answerRow is a row of what was answered under a key.
type answerRow struct {
	Client  string        `db:"client"`
	Key     string        `db:"key"`
	Request []byte        `db:"request"`
	Seq     sql.NullInt64 `db:"seq"`
	Subject string        `db:"subject"`
	Refusal string        `db:"refusal"`
}

func (r answerRow) answer() (answer, error) {
	a := answer{answerKey: answerKey{r.Client, r.Key}, id: r.Subject, seq: seqOf(r.Seq)}
	copy(a.request[:], r.Request)
	if r.Refusal == "" {
		return a, nil
	}
	a.refusal = new(ledger.Refusal)
	if err := json.Unmarshal([]byte(r.Refusal), a.refusal); err != nil {
		return a, fmt.Errorf("reading the refusal under a key: %w", err)
	}
	return a, nil
}

package book

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
	"golang.org/x/sync/errgroup"

	"timebank/ledger"
	"timebank/ledger/translog"
)

const (
	// verifyPageBits: a page is of 1,024 entries with what stands beside them, some megabytes, and a whole subtree of
	// the log.
	verifyPageBits = 10
	// verifyWorkers is how many pages are read and prepared at once, each on a connection of its own: while PostgreSQL
	// reads one another is prepared, and the walk takes a third.
	verifyWorkers = 3
)

// verifyShape is how the work is divided. What is found does not depend on it.
type verifyShape struct {
	pageBits uint
	workers  int
}

// page is a part of the log, read and prepared ahead of the walk.
type page struct {
	number                    int64
	answers, carries, rollups []byte
	room                      *pageRoom

	entries []prepared
	loose   []postingSide // that stand beside no entry
	strays  []Finding     // in the order of seq
	rolled  []rollupSide
	tree    pageTree
	err     error
	done    chan struct{}
}

// readAhead starts to read and prepare pages, and gives them in order as they are begun; each says when it is done.
// What is begun is bounded by the workers, and all of it ends with ctx.
func (v *verifier) readAhead(ctx context.Context, g *errgroup.Group, numbers []int64, beside besideRows) <-chan *page {
	jobs, ordered := make(chan *page), make(chan *page, v.shape.workers)
	g.Go(func() error {
		defer close(jobs)
		defer close(ordered)
		return v.feed(ctx, numbers, beside, jobs, ordered)
	})
	for _, tx := range v.readers {
		g.Go(func() error {
			reader, err := newPageReader(ctx, tx, v.shape.pageBits)
			if err != nil {
				return err
			}
			ids := v.idTexts()
			for p := range jobs {
				p.err = v.preparePage(ctx, reader, p, ids)
				close(p.done)
			}
			return nil
		})
	}
	return ordered
}

// feed begins the pages in order.
func (v *verifier) feed(ctx context.Context, numbers []int64, beside besideRows, jobs, ordered chan<- *page) error {
	for {
		p := &page{number: beside.first(), done: make(chan struct{})}
		if len(numbers) > 0 && numbers[0] <= p.number {
			p.number, numbers = numbers[0], numbers[1:]
		}
		if p.number == noPage {
			return nil
		}
		if err := beside.give(ctx, p); err != nil {
			return err
		}
		for _, to := range []chan<- *page{ordered, jobs} {
			select {
			case to <- p:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// pages lists the pages that have entries, and counts these. Numbers below zero are no entries of the log: that such rows
// are there their count tells.
func (v *verifier) pages(ctx context.Context, tx *sqlx.Tx) (numbers []int64, beyond []Finding, err error) {
	const query = `SELECT least(greatest(seq, -1), $1) >> $2 AS page, count(*) AS entries, coalesce(min(seq), -1) AS first, coalesce(max(seq), -1) AS last
		FROM entry GROUP BY 1 ORDER BY 1`
	type pageRow struct {
		Page    int64      `db:"page"`
		Entries int64      `db:"entries"`
		First   ledger.Seq `db:"first"`
		Last    ledger.Seq `db:"last"`
	}
	rows, err := selectAll[pageRow](ctx, tx, query, int64(translog.SizeMax), int(v.shape.pageBits))
	if err != nil {
		return nil, nil, fmt.Errorf("counting entries: %w", err)
	}
	for _, r := range rows {
		v.of += r.Entries
		switch {
		case r.Page == v.shape.beyond():
			beyond = []Finding{{r.First, fmt.Sprintf("is the first of %d that are numbered beyond what a log can have", r.Entries)}}
		case r.Page >= 0:
			numbers, v.size = append(numbers, r.Page), r.Last+1
		}
	}
	return numbers, beyond, nil
}

// beyond is the page after the last that a log can have.
func (s verifyShape) beyond() int64 { return translog.SizeMax >> s.pageBits }

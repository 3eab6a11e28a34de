package book

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/lib/pq"

	"timebank/ledger"
)

// spending is what the writer knows of redemptions, as the commands so far have left it; it is remembered with
// the rest of what is known. What a map has no key for is not known, and is read before it is asked for.
type spending struct {
	today    ledger.Date                  // by which months and years are counted
	open     map[string][]*holdFacts      // by volunteer: the holds that are not settled, in the order made
	byID     map[string]*holdFacts        // the same holds
	given    map[string]ledger.Minutes    // by volunteer: what was given of the holds made this month
	consents map[consentKey]*consentFacts // nil where there is none
	strikes  map[string]int               // against volunteers and partners, in the year before
}

func newSpending() *spending {
	return &spending{open: map[string][]*holdFacts{}, byID: map[string]*holdFacts{}, given: map[string]ledger.Minutes{},
		consents: map[consentKey]*consentFacts{}, strikes: map[string]int{}}
}

// turnTo forgets what another day counts otherwise.
func (s *spending) turnTo(today ledger.Date) {
	if s.today != today {
		clear(s.given)
		clear(s.strikes)
	}
	s.today = today
}

// small reports whether it is still worth its memory.
func (s *spending) small() bool {
	return len(s.open) <= knownMax && len(s.byID) <= knownMax && len(s.given) <= knownMax && len(s.consents) <= knownMax && len(s.strikes) <= knownMax
}

func (s *spending) hold(h *holdFacts) {
	s.open[h.volunteer] = append(s.open[h.volunteer], h)
	s.byID[h.id] = h
}

func (s *spending) settle(h *holdFacts, given ledger.Minutes) {
	h.settled, h.given = true, given
	delete(s.byID, h.id)
	if open, ok := s.open[h.volunteer]; ok {
		s.open[h.volunteer] = slices.DeleteFunc(open, func(x *holdFacts) bool { return x == h })
	}
	if _, ok := s.given[h.volunteer]; ok && s.inMonth(h) {
		s.given[h.volunteer] += given
	}
	if c := s.consents[consentKey{h.volunteer, h.partner}]; c != nil && c.seq == h.consent {
		c.given += given
	}
}

func (s *spending) strike(owner string) {
	if n, ok := s.strikes[owner]; ok {
		s.strikes[owner] = n + 1
	}
}

func (s *spending) inMonth(h *holdFacts) bool {
	return ledger.Month.Start(h.on) == ledger.Month.Start(s.today)
}

// used gives what was given under a consent and what is held under it; a hold that has ended by its time no
// longer counts.
func (s *spending) used(c *consentFacts, volunteer string, now time.Time) ledger.Minutes {
	sum := c.given
	for _, h := range s.open[volunteer] {
		if h.consent == c.seq && h.endsAt.After(now) {
			sum += h.minutes
		}
	}
	return sum
}

// redeemed sums what a volunteer has redeemed this month, held or given, and counts what is open; what
// effects are about to release counts for neither.
func (s *spending) redeemed(volunteer string, effects []effect) (month ledger.Minutes, open int) {
	month = s.given[volunteer]
	for _, h := range s.open[volunteer] {
		if slices.ContainsFunc(effects, func(e effect) bool { return e.settles == h }) {
			continue
		}
		open++
		if s.inMonth(h) {
			month += h.minutes
		}
	}
	return month, open
}

// fetchHolds reads the holds of volunteers that are not settled.
func (w *world) fetchHolds(ctx context.Context, q selecter, n *wants) error {
	ask := missing(n.holdsOf.list, w.spending.open, func(string, []*holdFacts) {})
	if len(ask) == 0 {
		return nil
	}
	const query = `
		SELECT h.seq, h.id, h.volunteer, h.partner, h.service, h.minutes, h.consent, h.ends_at, h.care_at, false AS settled, 0 AS given,
		       e.effective - date '1970-01-01' AS made_on
		FROM hold h JOIN entry e ON e.seq = h.seq LEFT JOIN settlement s ON s.hold = h.seq
		WHERE h.volunteer = ANY ($1::uuid[]) AND s.seq IS NULL ORDER BY h.seq`
	rows, err := selectAll[holdRow](ctx, q, query, pq.Array(ask))
	if err != nil {
		return fmt.Errorf("reading holds: %w", err)
	}
	for _, volunteer := range ask {
		w.spending.open[volunteer] = nil
	}
	for _, r := range rows {
		w.spending.hold(w.learnHold(r))
	}
	return nil
}

// wantPartners wants what ending the holds that are open may touch.
func (w *world) wantPartners(_ context.Context, _ selecter, n *wants) error {
	for _, volunteer := range n.holdsOf.list {
		for _, h := range w.spending.open[volunteer] {
			n.partners.add(h.partner)
		}
	}
	return nil
}

// fetchGiven reads what was given of the holds that volunteers' partners made this month.
func (w *world) fetchGiven(ctx context.Context, q selecter, n *wants) error {
	ask := missing(n.redeemers.list, w.spending.given, func(string, ledger.Minutes) {})
	if len(ask) == 0 {
		return nil
	}
	type givenRow struct {
		Volunteer string         `db:"volunteer"`
		Given     ledger.Minutes `db:"given"`
	}
	const query = `
		SELECT h.volunteer, sum(s.given)::bigint AS given
		FROM hold h JOIN entry e ON e.seq = h.seq JOIN settlement s ON s.hold = h.seq
		WHERE h.volunteer = ANY ($1::uuid[]) AND e.effective >= date '1970-01-01' + $2::int GROUP BY 1`
	rows, err := selectAll[givenRow](ctx, q, query, pq.Array(ask), int64(ledger.Month.Start(w.today)))
	if err != nil {
		return fmt.Errorf("reading what was redeemed: %w", err)
	}
	for _, volunteer := range ask {
		w.spending.given[volunteer] = 0
	}
	for _, r := range rows {
		w.spending.given[r.Volunteer] = r.Given
	}
	return nil
}

// fetchConsents reads the latest consent of each pair and what was given under it.
func (w *world) fetchConsents(ctx context.Context, q selecter, n *wants) error {
	var volunteers, partners []string
	for _, c := range n.consents.list {
		if _, ok := w.spending.consents[c]; !ok {
			w.spending.consents[c] = nil
			volunteers, partners = append(volunteers, c.volunteer), append(partners, c.partner)
		}
	}
	if len(volunteers) == 0 {
		return nil
	}
	const query = `
		SELECT c.seq, c.volunteer, c.partner, c.minutes_max, c.until - date '1970-01-01' AS until,
		       (SELECT coalesce(sum(s.given), 0)::bigint FROM hold h JOIN settlement s ON s.hold = h.seq
		        WHERE h.volunteer = c.volunteer AND h.consent = c.seq) AS given
		FROM unnest($1::uuid[], $2::uuid[]) AS n (volunteer, partner)
		JOIN LATERAL (SELECT seq, volunteer, partner, minutes_max, until FROM consent
		              WHERE volunteer = n.volunteer AND partner = n.partner ORDER BY seq DESC LIMIT 1) c ON true`
	type consentRow struct {
		Seq        ledger.Seq     `db:"seq"`
		Volunteer  string         `db:"volunteer"`
		Partner    string         `db:"partner"`
		MinutesMax ledger.Minutes `db:"minutes_max"`
		Until      int32          `db:"until"`
		Given      ledger.Minutes `db:"given"`
	}
	rows, err := selectAll[consentRow](ctx, q, query, pq.Array(volunteers), pq.Array(partners))
	if err != nil {
		return fmt.Errorf("reading consents: %w", err)
	}
	for _, r := range rows {
		w.spending.consents[consentKey{r.Volunteer, r.Partner}] = &consentFacts{r.Seq, r.MinutesMax, ledger.Date(r.Until), r.Given}
	}
	return nil
}

// fetchStrikes counts the cancellings of the last year that count against somebody.
func (w *world) fetchStrikes(ctx context.Context, q selecter, n *wants) error {
	ask := missing(n.strikes.list, w.spending.strikes, func(string, int) {})
	if len(ask) == 0 {
		return nil
	}
	const query = `
		SELECT coalesce(e.partner, e.volunteer) AS owner, count(*) AS strikes FROM (
			SELECT partner, NULL::uuid AS volunteer FROM entry
			WHERE kind = 'cancel' AND details LIKE '%"against":["%' AND partner = ANY ($1::uuid[]) AND effective > date '1970-01-01' + $2::int
			  AND (details::jsonb -> 'against') @> '["partner"]'
			UNION ALL
			SELECT NULL, volunteer FROM entry
			WHERE kind = 'cancel' AND details LIKE '%"against":["%' AND volunteer = ANY ($1::uuid[]) AND effective > date '1970-01-01' + $2::int
			  AND (details::jsonb -> 'against') @> '["volunteer"]') e
		GROUP BY 1`
	type strikeRow struct {
		Owner   string `db:"owner"`
		Strikes int    `db:"strikes"`
	}
	rows, err := selectAll[strikeRow](ctx, q, query, pq.Array(ask), int64(w.today-strikeDays))
	if err != nil {
		return fmt.Errorf("counting strikes: %w", err)
	}
	for _, owner := range ask {
		w.spending.strikes[owner] = 0
	}
	for _, r := range rows {
		w.spending.strikes[r.Owner] += r.Strikes
	}
	return nil
}

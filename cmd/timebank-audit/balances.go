package main

import (
	"encoding/json"
	"fmt"
	"net/url"

	"timebank/ledger"
	"timebank/ledger/translog"
)

// books are the balances of every account, derived from the leaves alone.
type books map[ledger.AccountID]map[ledger.Unit]ledger.Minutes

func (b books) add(f translog.LeafFields) error {
	for _, p := range f.Postings {
		if b[p.Account] == nil {
			b[p.Account] = map[ledger.Unit]ledger.Minutes{}
		}
		b[p.Account][p.Unit] += p.Minutes
	}
	return nil
}

type accountPage struct {
	Data []struct {
		Account string         `json:"account"`
		Unit    ledger.Unit    `json:"unit"`
		Balance ledger.Minutes `json:"balance"`
	} `json:"data"`
	NextCursor string `json:"next_cursor"`
}

// compare holds every balance that the API answers, as of the size of the log that was read, against what
// the leaves come to, and gives how many there are.
func (b books) compare(s *source, size int64) (n int64, err error) {
	for cursor := ""; ; {
		path := fmt.Sprintf("/accounts?limit=500&at_log_size=%d", size)
		if cursor != "" {
			path += "&cursor=" + url.QueryEscape(cursor)
		}
		text, err := s.get(path)
		if err != nil {
			return n, err
		}
		var page accountPage
		if err := json.Unmarshal(text, &page); err != nil {
			return n, fmt.Errorf("%w: reading accounts: %w", errUnreachable, err)
		}
		for _, a := range page.Data {
			id, err := ledger.ParseAccountID(a.Account)
			if err != nil {
				return n, fmt.Errorf("the API names an account %q: %w", a.Account, err)
			}
			units := b[id]
			if have := units[a.Unit]; have != a.Balance || len(units) > 1 {
				return n, fmt.Errorf("account %s: the API answers %d minutes of %s, the leaves come to %d", id, int64(a.Balance), a.Unit, int64(have))
			}
			delete(b, id)
			n++
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	for id := range b {
		return n, fmt.Errorf("account %s of the leaves is none of the API's", id)
	}
	return n, nil
}

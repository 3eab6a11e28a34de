package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"timebank/ledger"
	"timebank/ledger/translog"
	"timebank/policy"
)

// replayer decides entries again, in step with the leaves that the log proves.
type replayer struct {
	from    *source
	size    int64 // of the log; entries are read as of it
	page    []entryAnswer
	cursor  string
	begun   bool
	rules   map[ledger.Hash]*policy.Rules
	Decided int64
}

type entryAnswer struct {
	Seq     ledger.Seq `json:"seq"`
	Details string     `json:"details_text"`
	Salt    string     `json:"salt"`
}

type entryPage struct {
	Data       []entryAnswer `json:"data"`
	NextCursor string        `json:"next_cursor"`
}

// next reads the next entry of the API.
func (r *replayer) next() (entryAnswer, error) {
	if len(r.page) == 0 {
		path := fmt.Sprintf("/entries?limit=500&at_log_size=%d", r.size)
		if r.cursor != "" {
			path += "&cursor=" + url.QueryEscape(r.cursor)
		} else if r.begun {
			return entryAnswer{}, fmt.Errorf("the API has fewer entries than the log")
		}
		text, err := r.from.get(path)
		if err != nil {
			return entryAnswer{}, err
		}
		var page entryPage
		if err := json.Unmarshal(text, &page); err != nil || len(page.Data) == 0 {
			return entryAnswer{}, fmt.Errorf("%w: a page of entries: %w", errUnreachable, err)
		}
		r.page, r.cursor, r.begun = page.Data, page.NextCursor, true
	}
	e := r.page[0]
	r.page = r.page[1:]
	return e, nil
}

// entry shows that the details of an entry are those that its leaf commits to, and decides them again.
func (r *replayer) entry(f translog.LeafFields) error {
	e, err := r.next()
	if err != nil {
		return err
	}
	salt, err := hex.DecodeString(e.Salt)
	if err != nil || len(salt) != len(ledger.Entry{}.Salt) || e.Seq != f.Seq {
		return fmt.Errorf("entry %d: the API answers with entry %d, or with no salt", f.Seq, e.Seq)
	}
	told := ledger.Entry{Salt: [16]byte(salt), Draft: ledger.Draft{Details: []byte(e.Details)}}
	if told.Commitment() != f.Commitment {
		return fmt.Errorf("entry %d: its details are not those that its leaf commits to", f.Seq)
	}
	if !policy.Decides(f.Kind) {
		return nil
	}
	rules, err := r.ruleSet(f.Rules)
	if err != nil {
		return fmt.Errorf("entry %d: %w", f.Seq, err)
	}
	if err := rules.Replay(f.Kind, told.Details); err != nil {
		return fmt.Errorf("entry %d: %w", f.Seq, err)
	}
	r.Decided++
	return nil
}

// ruleSet reads the rule set of a hash, and shows that it has it.
func (r *replayer) ruleSet(h ledger.Hash) (*policy.Rules, error) {
	if rules := r.rules[h]; rules != nil {
		return rules, nil
	}
	text, err := r.from.get("/policy/sets/" + h.String())
	if err != nil {
		return nil, err
	}
	rules, err := policy.ParseRecorded(text)
	if err != nil {
		return nil, fmt.Errorf("rule set %s: %w", h, err)
	}
	if rules.Hash() != h {
		return nil, fmt.Errorf("rule set %s: the text that is served has hash %s", h, rules.Hash())
	}
	r.rules[h] = rules
	return rules, nil
}

func replayCommand() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use: "replay URL", Short: "Decide every entry again from its recorded facts and the rule set that it names", Args: one,
		RunE: func(cmd *cobra.Command, args []string) error {
			r := &replayer{rules: map[ledger.Hash]*policy.Rules{}}
			begin := func(from *source, size int64) { r.from, r.size = from, size }
			_, a, err := s.check(cmd, args[0], begin, r.entry)
			if err != nil {
				return err
			}
			return s.print(cmd, struct {
				audited
				Decided int64 `json:"decided"`
			}{a, r.Decided}, "%s: %d of %d entries were decided by rules, and come out as recorded", a.Origin, r.Decided, a.Leaves)
		},
	}
	s.flags(cmd)
	return cmd
}

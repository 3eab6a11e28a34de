package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"timebank/ledger"
)

// poolAnswer is the public pool, as anybody reads it.
type poolAnswer struct {
	Balance ledger.Minutes `json:"balance"`
	Waiting []struct {
		Waiting int `json:"waiting"`
	} `json:"waiting"`
}

// sharePool tells how credit reaches somebody in need: who gives does not choose who gets.
func (t *tale) sharePool(ctx context.Context) error {
	elder := t.city.Story.Elder
	const gift = 120
	if err := t.elder.post(ctx, "/v1/donations", "donation", map[string]any{"volunteer_id": t.volunteers[elder], "minutes": gift}, nil); err != nil {
		return err
	}
	const name = "周秀英"
	id, err := t.create(ctx, "/v1/volunteers", "in need", map[string]any{"name": name, "born": "1940-02-29"})
	if err != nil {
		return err
	}
	first := t.orgs[slices.Sorted(maps.Keys(t.orgs))[0]]
	application := map[string]any{"volunteer_id": id, "lives_alone": true, "document": "home visit 7", "recorder": "w1", "approver": "w2"}
	if err := first.post(ctx, "/v1/applications", "application", application, nil); err != nil {
		return err
	}
	var before, after poolAnswer
	if err := t.auditor.get(ctx, "/v1/pool", &before); err != nil {
		return err
	}
	t.say("  %s gives %s to all. %s is over 80 and lives alone; an organization has seen to that, and asks for her.", t.name(elder), ledger.Minutes(gift), name)
	t.say("  Anybody can read it: the pool has %s, %d wait with the first priority.", before.Balance, before.Waiting[0].Waiting)
	var receipt struct {
		Postings []struct {
			OwnerKind string         `json:"owner_kind"`
			Minutes   ledger.Minutes `json:"minutes"`
		} `json:"postings"`
	}
	if err := t.operator.post(ctx, "/v1/grants", "grant", nil, &receipt); err != nil {
		return err
	}
	var granted ledger.Minutes
	for _, p := range receipt.Postings {
		if p.OwnerKind == string(ledger.OwnerVolunteer) {
			granted += p.Minutes
		}
	}
	if err := t.auditor.get(ctx, "/v1/pool", &after); err != nil {
		return err
	}
	if granted == 0 || after.Balance != before.Balance-granted {
		return fmt.Errorf("the pool had %s and has %s after a grant of %s", before.Balance, after.Balance, granted)
	}
	t.say("  The operator lets the pool give, to the next in line and nobody else: %s gets %s.", name, granted)
	return nil
}

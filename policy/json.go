package policy

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"timebank/ledger"
)

// Facts are recorded as JSON with dates as people write them. Each writes and reads itself through a
// struct that has the dates as texts, in the place of the numbers; the fields stand in one order, always.

type (
	plainClaim  ClaimFacts
	plainHold   HoldFacts
	plainChoice ChoiceFacts
	plainGive   GiveFacts
)

type claimJSON struct {
	*plainClaim
	ServedOn string `json:"served_on"`
	Today    string `json:"today"`
}

type holdJSON struct {
	*plainHold
	Today string `json:"today"`
}

type choiceJSON struct {
	*plainChoice
	Today  string `json:"today"`
	Before string `json:"before,omitempty"`
}

// MarshalJSONTo writes the facts as they are recorded.
func (f ClaimFacts) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, claimJSON{(*plainClaim)(&f), f.ServedOn.String(), f.Today.String()})
}

// UnmarshalJSONFrom reads recorded facts; a name that is no fact is refused.
func (f *ClaimFacts) UnmarshalJSONFrom(from *jsontext.Decoder) error {
	var read plainClaim
	j := claimJSON{plainClaim: &read}
	err := json.UnmarshalDecode(from, &j, json.RejectUnknownMembers(true))
	if err != nil {
		return err
	}
	if read.ServedOn, err = ledger.ParseDate(j.ServedOn); err != nil {
		return fmt.Errorf("served_on: %w", err)
	}
	if read.Today, err = ledger.ParseDate(j.Today); err != nil {
		return fmt.Errorf("today: %w", err)
	}
	*f = ClaimFacts(read)
	return nil
}

// MarshalJSONTo writes the facts as they are recorded.
func (f HoldFacts) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, holdJSON{(*plainHold)(&f), f.Today.String()})
}

// UnmarshalJSONFrom reads recorded facts; a name that is no fact is refused.
func (f *HoldFacts) UnmarshalJSONFrom(from *jsontext.Decoder) error {
	var read plainHold
	j := holdJSON{plainHold: &read}
	err := json.UnmarshalDecode(from, &j, json.RejectUnknownMembers(true))
	if err != nil {
		return err
	}
	if read.Today, err = ledger.ParseDate(j.Today); err != nil {
		return fmt.Errorf("today: %w", err)
	}
	*f = HoldFacts(read)
	return nil
}

// MarshalJSONTo writes the facts as they are recorded.
func (f ChoiceFacts) MarshalJSONTo(to *jsontext.Encoder) error {
	j := choiceJSON{plainChoice: (*plainChoice)(&f), Today: f.Today.String()}
	if f.Before != 0 {
		j.Before = f.Before.String()
	}
	return json.MarshalEncode(to, j)
}

// UnmarshalJSONFrom reads recorded facts; a name that is no fact is refused.
func (f *ChoiceFacts) UnmarshalJSONFrom(from *jsontext.Decoder) error {
	var read plainChoice
	j := choiceJSON{plainChoice: &read}
	err := json.UnmarshalDecode(from, &j, json.RejectUnknownMembers(true))
	if err != nil {
		return err
	}
	if read.Today, err = ledger.ParseDate(j.Today); err != nil {
		return fmt.Errorf("today: %w", err)
	}
	if j.Before != "" {
		if read.Before, err = ledger.ParseDate(j.Before); err != nil {
			return fmt.Errorf("before: %w", err)
		}
	}
	*f = ChoiceFacts(read)
	return nil
}

type giveJSON struct {
	*plainGive
	Today string `json:"today"`
}

// MarshalJSONTo writes the facts as they are recorded.
func (f GiveFacts) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, giveJSON{(*plainGive)(&f), f.Today.String()})
}

// UnmarshalJSONFrom reads recorded facts; a name that is no fact is refused.
func (f *GiveFacts) UnmarshalJSONFrom(from *jsontext.Decoder) error {
	var read plainGive
	j := giveJSON{plainGive: &read}
	err := json.UnmarshalDecode(from, &j, json.RejectUnknownMembers(true))
	if err != nil {
		return err
	}
	if read.Today, err = ledger.ParseDate(j.Today); err != nil {
		return fmt.Errorf("today: %w", err)
	}
	*f = GiveFacts(read)
	return nil
}

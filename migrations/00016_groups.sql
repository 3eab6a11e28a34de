-- +goose Up
-- What the rules of every group read: care that is booked for a time, strikes, and entries of the rarer
-- kinds, which are read from the entries themselves, so that no second copy can differ.

ALTER TABLE hold ADD COLUMN care_at bigint; -- minutes since 1970-01-01 00:00 by the clock on the wall
CREATE INDEX entry_of_rare_kind ON entry (kind, volunteer, seq)
    WHERE kind IN ('application', 'grant', 'support', 'honour', 'honour-consent', 'nomination', 'referral', 'clarification');
-- A cancelling that counts against somebody names them in its details.
CREATE INDEX entry_strike_of_partner ON entry (partner, effective) WHERE kind = 'cancel' AND details LIKE '%"against":["%';
CREATE INDEX entry_strike_of_volunteer ON entry (volunteer, effective) WHERE kind = 'cancel' AND details LIKE '%"against":["%';

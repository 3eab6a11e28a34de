-- +goose Up
-- One index finds the claims of a volunteer's day and admits a shift once: a fingerprint is made of the volunteer
-- and the day, among others, so these two before it admit nothing more. The index it replaces lay in
-- no order, and a claim touched a page of it that no other claim of the time did.

CREATE UNIQUE INDEX claim_once ON claim (volunteer, served_on, fingerprint, coalesce(reposts_shift, -1));
DROP INDEX claim_shift_once;
DROP INDEX claim_by_volunteer;
ALTER INDEX claim_once RENAME TO claim_shift_once;

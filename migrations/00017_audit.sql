-- +goose Up
-- What auditors need: refusals and reads of personal data as entries of the log, and the past at a glance.

ALTER TABLE entry DROP CONSTRAINT entry_kind_known, ADD CONSTRAINT entry_kind_known CHECK (kind IN (
    'hours', 'correction', 'hold', 'confirm', 'cancel', 'hold-expired', 'transfer', 'donation', 'grant', 'expiry', 'support',
    'organization', 'volunteer', 'partner', 'client', 'client-revoked', 'consent', 'rules-draft', 'rules-approval', 'rules',
    'choice', 'relation', 'relation-ended', 'guardian-consent', 'application', 'honour', 'honour-consent', 'nomination',
    'referral', 'clarification', 'refusal', 'read'));
-- An answer is an entry, and a refusal one too. Answers of before this file may have none.
ALTER TABLE answer DROP CONSTRAINT answer_entry_or_refusal,
    ADD CONSTRAINT answer_is_an_entry CHECK (seq IS NOT NULL) NOT VALID;

-- What an account had as of any date and at any size of the log, without reading all its postings: sums by
-- day, month, year and in all, over the entries below upto. A row is added when some hundreds of postings
-- have gathered on an account, so that a posting costs none and one into the past costs what one today does.
-- All of it follows from the postings; `timebank verify` computes it again.

CREATE TABLE rollup (
    account bigint   NOT NULL, -- or, below zero, a line of the chart of accounts, counted from -1
    level   smallint NOT NULL, -- 0 day, 1 month, 2 year, 3 in all
    period  integer  NOT NULL, -- day since 1970-01-01; month since the year 0; year; 0
    upto    bigint   NOT NULL,
    minutes bigint   NOT NULL,
    entries bigint   NOT NULL,
    CONSTRAINT rollup_pkey PRIMARY KEY (account, level, period, upto),
    CONSTRAINT rollup_level_known CHECK (level BETWEEN 0 AND 3),
    CONSTRAINT rollup_entries_positive CHECK (entries >= 0 AND upto > 0)
);
CREATE TRIGGER rollup_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rollup
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT, INSERT ON rollup TO timebank_service;

-- +goose Up
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

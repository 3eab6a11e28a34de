-- +goose Up
-- What is written lately lies together, so that it stays in memory however long the book is. An index by account puts each
-- account's next posting on a page of its own, and there are as many of these as accounts; once they are more than memory
-- holds, each posting reads one and writes another back. Here the account's postings lie apart by stretches of
-- 131,072 entries, and a volunteer's claims by stretches of 32 days: what a time writes is the pages of its stretch.
-- Who reads an account asks stretch by stretch, by the functions below.

CREATE UNIQUE INDEX posting_of_account ON posting ((seq >> 17), account, seq) INCLUDE (minutes, effective);
DROP INDEX posting_by_account;
ALTER INDEX posting_of_account RENAME TO posting_by_account;

CREATE UNIQUE INDEX claim_once ON claim (((served_on - date '1970-01-01') >> 5), volunteer, served_on, fingerprint, coalesce(reposts_shift, -1));
DROP INDEX claim_shift_once;
ALTER INDEX claim_once RENAME TO claim_shift_once;

-- Claims tell whose hours are; an index tells of whom the other entries are.
CREATE INDEX entry_of_volunteer ON entry (volunteer, seq) WHERE volunteer IS NOT NULL AND kind <> 'hours';
DROP INDEX entry_by_volunteer;
ALTER INDEX entry_of_volunteer RENAME TO entry_by_volunteer;

-- +goose StatementBegin
-- OFFSET 0 keeps the planner from joining the other way round, which it finds cheap in a young table. The latest stretch comes
-- first: who needs some only, asks no more than it takes.
CREATE FUNCTION postings_of(of_account bigint, since bigint, upto bigint) RETURNS SETOF posting LANGUAGE sql STABLE AS $$
    SELECT p.* FROM generate_series(least(upto - 1, (SELECT coalesce(max(seq), -1) FROM entry)) >> 17, since >> 17, -1) AS stretch,
    LATERAL (SELECT * FROM posting WHERE seq >> 17 = stretch AND account = of_account AND seq >= since AND seq < upto OFFSET 0) p
$$;

-- The account's last posting before an entry, from that one's stretch back: nearly always of the first.
CREATE FUNCTION last_posting(of_account bigint, upto bigint) RETURNS SETOF posting LANGUAGE plpgsql STABLE ROWS 1 AS $$
BEGIN
    FOR stretch IN REVERSE ((upto - 1) >> 17)::int..0 LOOP
        RETURN QUERY SELECT * FROM posting p WHERE p.seq >> 17 = stretch AND p.account = of_account AND p.seq < upto ORDER BY p.seq DESC LIMIT 1;
        EXIT WHEN FOUND;
    END LOOP;
END $$;

CREATE FUNCTION claims_of(of_volunteer uuid, since date, until date) RETURNS SETOF claim LANGUAGE sql STABLE AS $$
    SELECT c.* FROM generate_series((since - date '1970-01-01') >> 5, (until - date '1970-01-01') >> 5) AS stretch,
    LATERAL (SELECT * FROM claim WHERE (served_on - date '1970-01-01') >> 5 = stretch AND volunteer = of_volunteer
        AND served_on BETWEEN since AND until OFFSET 0) c
$$;

-- Those of a day and the days beside, which are of one stretch or two.
CREATE FUNCTION claims_near(of_volunteer uuid, day date) RETURNS SETOF claim LANGUAGE sql STABLE AS $$
    SELECT * FROM claim
    WHERE (served_on - date '1970-01-01') >> 5 = ANY (ARRAY[(day - 1 - date '1970-01-01') >> 5, (day + 1 - date '1970-01-01') >> 5])
      AND volunteer = of_volunteer AND served_on BETWEEN day - 1 AND day + 1 OFFSET 0
$$;

-- All claims of a volunteer, from the first stretch that has claims of anybody.
CREATE FUNCTION claims_of(of_volunteer uuid) RETURNS SETOF claim LANGUAGE sql STABLE AS $$
    SELECT c.* FROM generate_series((SELECT min((served_on - date '1970-01-01') >> 5) FROM claim),
                                    (SELECT max((served_on - date '1970-01-01') >> 5) FROM claim)) AS stretch,
    LATERAL (SELECT * FROM claim WHERE (served_on - date '1970-01-01') >> 5 = stretch AND volunteer = of_volunteer OFFSET 0) c
$$;

CREATE FUNCTION entries_of(of_volunteer uuid) RETURNS SETOF bigint LANGUAGE sql STABLE AS $$
    SELECT seq FROM entry WHERE volunteer = of_volunteer AND kind <> 'hours' UNION ALL SELECT seq FROM claims_of(of_volunteer)
$$;

-- Which rule a posting breaks that is the account's first of a stretch: it goes on from the last of the stretches before,
-- or is the first of an account that is there.
CREATE FUNCTION wrong_after_rest(of_seq bigint, of_account bigint, of_unit text, of_may_owe boolean, balance_before bigint)
    RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    last record;
BEGIN
    SELECT p.balance, p.unit, p.may_owe INTO last FROM last_posting(of_account, (of_seq >> 17) << 17) p;
    IF NOT FOUND THEN
        SELECT 0::bigint AS balance, a.unit, a.may_owe INTO last FROM account a WHERE a.id = of_account;
    END IF;
    RETURN CASE WHEN last.balance <> balance_before THEN 'posting_balance_runs'
        WHEN (last.unit, last.may_owe) IS DISTINCT FROM (of_unit, of_may_owe) THEN 'posting_fits_account' END;
END $$;

CREATE OR REPLACE FUNCTION posting_check() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bad record;
BEGIN
    SELECT seq, unit, sum(minutes) AS sum INTO bad FROM added GROUP BY seq, unit HAVING sum(minutes) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % does not balance in %: %', bad.seq, bad.unit, bad.sum
            USING ERRCODE = 'check_violation', CONSTRAINT = 'posting_sums_to_zero', TABLE = 'posting';
    END IF;
    SELECT p.seq INTO bad FROM (SELECT seq, min(effective) AS first, max(effective) AS last FROM added GROUP BY seq) p
        LEFT JOIN entry e ON e.seq = p.seq
    WHERE e.seq IS NULL OR p.first <> e.effective OR p.last <> e.effective LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'posting does not fit entry %', bad.seq
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'posting_fits_entry', TABLE = 'posting';
    END IF;
    -- The posting of the account before this one: among those added or, for the first of them, in the table (near), unless the
    -- account has rested since an earlier stretch.
    SELECT p.seq, p.account, wrong.rule INTO bad
    FROM (SELECT seq, account, unit, may_owe, minutes, balance, lag(balance) OVER w AS before, lag(unit) OVER w AS unit_before,
                 lag(may_owe) OVER w AS may_owe_before
          FROM added WINDOW w AS (PARTITION BY account ORDER BY seq)) p
        LEFT JOIN LATERAL (SELECT q.balance, q.unit, q.may_owe FROM posting q
            WHERE p.before IS NULL AND q.seq >> 17 = p.seq >> 17 AND q.account = p.account AND q.seq < p.seq ORDER BY q.seq DESC LIMIT 1) near ON true,
        LATERAL (SELECT CASE
            WHEN coalesce(p.before, near.balance) IS NULL THEN wrong_after_rest(p.seq, p.account, p.unit, p.may_owe, p.balance - p.minutes)
            WHEN p.balance - p.minutes <> coalesce(p.before, near.balance) THEN 'posting_balance_runs'
            WHEN p.unit <> coalesce(p.unit_before, near.unit) OR p.may_owe <> coalesce(p.may_owe_before, near.may_owe) THEN 'posting_fits_account'
            END AS rule) wrong
    WHERE wrong.rule IS NOT NULL LIMIT 1;
    IF FOUND AND bad.rule = 'posting_balance_runs' THEN
        RAISE EXCEPTION 'running balance of account % is wrong at entry %', bad.account, bad.seq
            USING ERRCODE = 'check_violation', CONSTRAINT = 'posting_balance_runs', TABLE = 'posting';
    ELSIF FOUND THEN
        RAISE EXCEPTION 'posting of entry % does not fit account %', bad.seq, bad.account
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'posting_fits_account', TABLE = 'posting';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION claim_check() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bad record;
BEGIN
    SELECT c.seq INTO bad FROM added c LEFT JOIN entry e ON e.seq = c.seq
    WHERE e.seq IS NULL OR e.kind <> 'hours' OR e.effective <> c.served_on
       OR e.volunteer IS DISTINCT FROM c.volunteer OR e.organization IS DISTINCT FROM c.organization LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'claim % does not fit its entry', bad.seq
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'claim_fits_entry', TABLE = 'claim';
    END IF;
    SELECT c.seq, coalesce(c.reposts_shift, c.reposts_reference) AS reposts INTO bad FROM added c
    WHERE c.reposts_shift IS NOT NULL AND NOT EXISTS
              (SELECT 1 FROM entry e WHERE e.refers = c.reposts_shift AND e.kind = 'correction')
       OR c.reposts_reference IS NOT NULL AND NOT EXISTS
              (SELECT 1 FROM entry e WHERE e.refers = c.reposts_reference AND e.kind = 'correction') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'claim % reposts % which was not corrected', bad.seq, bad.reposts
            USING ERRCODE = 'check_violation', CONSTRAINT = 'claim_reposts_corrected', TABLE = 'claim';
    END IF;
    SELECT c.seq, d.seq AS other INTO bad
    FROM added c, LATERAL claims_near(c.volunteer, c.served_on) d
    WHERE d.seq <> c.seq AND d.span_from < c.span_to AND c.span_from < d.span_to
      AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.refers = d.seq AND e.kind = 'correction') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'claim % overlaps claim %', bad.seq, bad.other
            USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'claim_shifts_apart', TABLE = 'claim';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd

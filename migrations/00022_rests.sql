-- +goose Up
-- An account's first posting of a stretch asks for its last of the stretches before, or for the account, in the statement
-- that checks all postings of a batch. With a function called for each of these, that statement took two to four times as long
-- where the accounts are new.

-- +goose StatementBegin
-- The account's last posting before an entry, from that one's stretch back: nearly always of the first.
CREATE OR REPLACE FUNCTION last_posting(of_account bigint, upto bigint) RETURNS SETOF posting LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT p.* FROM generate_series((upto - 1) >> 17, 0, -1) AS stretch,
    LATERAL (SELECT * FROM posting WHERE seq >> 17 = stretch AND account = of_account AND seq < upto ORDER BY seq DESC LIMIT 1) p
    LIMIT 1
$$;

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
    -- The posting of the account before this one: among those added or, for the first of them, in the table, in the same
    -- stretch (near) or, where the account has rested, in an earlier one (far). An account without any is looked up itself. What is not
    -- needed is not asked, since each condition stands within its LIMIT: last_posting would be called for every posting.
    SELECT p.seq, p.account, p.balance - p.minutes <> coalesce(p.before, near.balance, far.balance, 0) AS runs_wrong INTO bad
    FROM (SELECT seq, account, unit, may_owe, minutes, balance, lag(balance) OVER w AS before, lag(unit) OVER w AS unit_before,
                 lag(may_owe) OVER w AS may_owe_before
          FROM added WINDOW w AS (PARTITION BY account ORDER BY seq)) p
        LEFT JOIN LATERAL (SELECT q.balance, q.unit, q.may_owe FROM posting q
            WHERE p.before IS NULL AND q.seq >> 17 = p.seq >> 17 AND q.account = p.account AND q.seq < p.seq ORDER BY q.seq DESC LIMIT 1) near ON true
        LEFT JOIN LATERAL (SELECT q.balance, q.unit, q.may_owe FROM generate_series((p.seq >> 17) - 1, 0, -1) AS stretch,
            LATERAL (SELECT * FROM posting WHERE seq >> 17 = stretch AND account = p.account ORDER BY seq DESC LIMIT 1) q
            WHERE p.before IS NULL AND near.balance IS NULL LIMIT 1) far ON true
        LEFT JOIN LATERAL (SELECT a.unit, a.may_owe FROM account a
            WHERE p.before IS NULL AND near.balance IS NULL AND far.balance IS NULL AND a.id = p.account LIMIT 1) opened ON true
    WHERE p.balance - p.minutes <> coalesce(p.before, near.balance, far.balance, 0)
       OR (p.unit = coalesce(p.unit_before, near.unit, far.unit, opened.unit)
           AND p.may_owe = coalesce(p.may_owe_before, near.may_owe, far.may_owe, opened.may_owe)) IS NOT TRUE
    LIMIT 1;
    IF FOUND AND bad.runs_wrong THEN
        RAISE EXCEPTION 'running balance of account % is wrong at entry %', bad.account, bad.seq
            USING ERRCODE = 'check_violation', CONSTRAINT = 'posting_balance_runs', TABLE = 'posting';
    ELSIF FOUND THEN
        RAISE EXCEPTION 'posting of entry % does not fit account %', bad.seq, bad.account
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'posting_fits_account', TABLE = 'posting';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd

DROP FUNCTION wrong_after_rest;

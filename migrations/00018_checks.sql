-- +goose Up
-- The checks of postings, in two thirds of the time: they were a third of what recording a batch took. An entry
-- is looked up once and not once a posting; and where an account has a posting before, that one, which passed
-- these checks itself, tells unit and nature with the balance, so the account need not be looked up as well.
-- What the service's login could add and is refused is as before; of two rules that a row breaks another may be
-- named. Who changed an account that has postings, which only a superuser can, is found by `timebank verify`.

-- +goose StatementBegin
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
    -- known: the posting of the account before this one, among those added or, for the first of them, in the table.
    SELECT p.seq, p.account, p.balance - p.minutes <> coalesce(p.before, known.balance, 0) AS runs_wrong INTO bad
    FROM (SELECT seq, account, unit, may_owe, minutes, balance, lag(balance) OVER w AS before, lag(unit) OVER w AS unit_before,
                 lag(may_owe) OVER w AS may_owe_before
          FROM added WINDOW w AS (PARTITION BY account ORDER BY seq)) p
        LEFT JOIN LATERAL (SELECT q.balance, q.unit, q.may_owe FROM posting q
            WHERE p.before IS NULL AND q.account = p.account AND q.seq < p.seq ORDER BY q.seq DESC LIMIT 1) known ON true
    WHERE p.balance - p.minutes <> coalesce(p.before, known.balance, 0)
       OR CASE WHEN coalesce(p.before, known.balance) IS NULL
               THEN NOT EXISTS (SELECT 1 FROM account a WHERE a.id = p.account AND a.unit = p.unit AND a.may_owe = p.may_owe)
               ELSE p.unit <> coalesce(p.unit_before, known.unit) OR p.may_owe <> coalesce(p.may_owe_before, known.may_owe) END
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

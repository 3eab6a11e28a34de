-- +goose Up
-- The writers' turn, and where the book ends then, in one statement. What is read before the lock is there may be
-- what was; so the function reads, in a query of its own, which at read committed sees all that was committed before it.
-- The salt of the last entry tells books apart: no other entry has it.

-- +goose StatementBegin
CREATE FUNCTION take_turn() RETURNS TABLE (now timestamptz, next bigint, last timestamptz, salt bytea, rule_sets bigint) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock('entry'::regclass::oid::bigint);
    RETURN QUERY SELECT clock_timestamp(), coalesce(e.seq, -1) + 1, e.recorded, e.salt, (SELECT count(*) FROM rule_set)
        FROM (SELECT 1) one LEFT JOIN (SELECT * FROM entry ORDER BY seq DESC LIMIT 1) e ON true;
END $$;
-- +goose StatementEnd

-- +goose Up
-- Claims of service and redemptions: what the state machine must look up fast, beside the entries that
-- hold the same facts for good.

CREATE TABLE claim (
    seq               bigint NOT NULL CONSTRAINT claim_pkey PRIMARY KEY,
    volunteer         uuid   NOT NULL,
    organization      uuid   NOT NULL,
    served_on         date   NOT NULL,
    minutes           bigint NOT NULL,
    span_from         bigint,
    span_to           bigint,
    fingerprint       bytea  NOT NULL,
    reference         text,
    reposts_shift     bigint,
    reposts_reference bigint,
    grade             text   NOT NULL,
    care              bigint NOT NULL,
    youth             bigint NOT NULL,
    CONSTRAINT claim_minutes_bounded CHECK (minutes BETWEEN 1 AND 1440),
    CONSTRAINT claim_span_whole CHECK ((span_from IS NULL) = (span_to IS NULL)),
    CONSTRAINT claim_span_bounded CHECK (span_to > span_from AND span_to - span_from <= 1440),
    CONSTRAINT claim_grade_known CHECK (grade IN ('A', 'B', 'C', 'D')),
    CONSTRAINT claim_earned_not_negative CHECK (care >= 0 AND youth >= 0)
);
CREATE INDEX claim_by_volunteer ON claim (volunteer, served_on);
-- A shift may be posted again only after its claim was corrected, and once for each correction.
CREATE UNIQUE INDEX claim_shift_once ON claim (fingerprint, coalesce(reposts_shift, -1));
CREATE UNIQUE INDEX claim_reference_once ON claim (organization, reference, coalesce(reposts_reference, -1))
    WHERE reference IS NOT NULL;

CREATE TABLE hold (
    seq       bigint      NOT NULL CONSTRAINT hold_pkey PRIMARY KEY,
    id        uuid        NOT NULL CONSTRAINT hold_id_key UNIQUE,
    volunteer uuid        NOT NULL,
    partner   uuid        NOT NULL,
    service   text        NOT NULL,
    minutes   bigint      NOT NULL,
    consent   bigint      NOT NULL CONSTRAINT hold_consent_fkey REFERENCES consent (seq),
    ends_at   timestamptz NOT NULL,
    CONSTRAINT hold_minutes_bounded CHECK (minutes BETWEEN 1 AND 1440),
    CONSTRAINT hold_settlement_key UNIQUE (seq, minutes)
);
CREATE INDEX hold_by_volunteer ON hold (volunteer, seq);
CREATE INDEX hold_by_partner ON hold (partner, seq);

CREATE TABLE settlement (
    seq   bigint NOT NULL CONSTRAINT settlement_pkey PRIMARY KEY,
    hold  bigint NOT NULL CONSTRAINT settlement_once_per_hold UNIQUE,
    held  bigint NOT NULL,
    given bigint NOT NULL,
    CONSTRAINT settlement_hold_fkey FOREIGN KEY (hold, held) REFERENCES hold (seq, minutes),
    CONSTRAINT settlement_within_hold CHECK (given BETWEEN 0 AND held)
);

-- +goose StatementBegin
CREATE FUNCTION claim_check() RETURNS trigger LANGUAGE plpgsql AS $$
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
    FROM added c JOIN claim d ON d.volunteer = c.volunteer AND d.served_on BETWEEN c.served_on - 1 AND c.served_on + 1
         AND d.seq <> c.seq AND d.span_from < c.span_to AND c.span_from < d.span_to
    WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE e.refers = d.seq AND e.kind = 'correction') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'claim % overlaps claim %', bad.seq, bad.other
            USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'claim_shifts_apart', TABLE = 'claim';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER claim_check AFTER INSERT ON claim REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION claim_check();

-- +goose Up
-- The ledger: entries, their postings with running balances, the log's hashes, and what was answered.
-- Every rule of the book stands here a second time, as a named constraint or as a trigger that raises
-- under a constraint's name. Foreign keys on the hot path are checked once a statement, over all its
-- rows, because a row-by-row check costs more than the row.

CREATE TABLE account (
    id         bigint  NOT NULL CONSTRAINT account_pkey PRIMARY KEY,
    owner_kind text    NOT NULL,
    owner      uuid,
    purpose    text    NOT NULL,
    unit       text    NOT NULL,
    may_owe    boolean NOT NULL,
    CONSTRAINT account_id_positive CHECK (id > 0),
    CONSTRAINT account_owner_kind_known CHECK (owner_kind IN ('bank', 'pool', 'organization', 'volunteer', 'partner')),
    CONSTRAINT account_owner_named CHECK ((owner IS NULL) = (owner_kind IN ('bank', 'pool'))),
    CONSTRAINT account_unit_known CHECK (unit IN ('service', 'care', 'youth', 'support'))
);
CREATE UNIQUE INDEX account_one_per_purpose
    ON account (coalesce(owner, '00000000-0000-0000-0000-000000000000'), owner_kind, purpose);

CREATE TABLE entry (
    seq          bigint      NOT NULL CONSTRAINT entry_pkey PRIMARY KEY,
    kind         text        NOT NULL,
    effective    date        NOT NULL,
    recorded     timestamptz NOT NULL,
    by_client    uuid,
    rules        bytea,
    refers       bigint,
    organization uuid,
    volunteer    uuid,
    partner      uuid,
    salt         bytea       NOT NULL,
    details      text        NOT NULL,
    leaf         text        NOT NULL,
    CONSTRAINT entry_kind_known CHECK (kind IN ('hours', 'correction', 'hold', 'confirm', 'cancel', 'hold-expired',
        'organization', 'volunteer', 'partner', 'client', 'client-revoked', 'consent', 'rules')),
    CONSTRAINT entry_refers_back CHECK (refers < seq),
    CONSTRAINT entry_refers_where_it_must
        CHECK ((refers IS NOT NULL) = (kind IN ('correction', 'confirm', 'cancel', 'hold-expired'))),
    CONSTRAINT entry_salt_length CHECK (octet_length(salt) = 16),
    CONSTRAINT entry_rules_length CHECK (octet_length(rules) = 32),
    CONSTRAINT entry_details_bounded CHECK (octet_length(details) <= 65535),
    CONSTRAINT entry_leaf_bounded CHECK (octet_length(leaf) <= 65535)
);
CREATE UNIQUE INDEX entry_corrected_once ON entry (refers) WHERE kind = 'correction';
CREATE UNIQUE INDEX entry_settled_once ON entry (refers) WHERE kind IN ('confirm', 'cancel', 'hold-expired');
CREATE INDEX entry_by_organization ON entry (organization, seq) WHERE organization IS NOT NULL;
CREATE INDEX entry_by_volunteer ON entry (volunteer, seq) WHERE volunteer IS NOT NULL;
CREATE INDEX entry_by_partner ON entry (partner, seq) WHERE partner IS NOT NULL;

CREATE TABLE posting (
    seq       bigint  NOT NULL,
    account   bigint  NOT NULL,
    unit      text    NOT NULL,
    minutes   bigint  NOT NULL,
    balance   bigint  NOT NULL,
    may_owe   boolean NOT NULL,
    effective date    NOT NULL,
    CONSTRAINT posting_pkey PRIMARY KEY (seq, account),
    CONSTRAINT posting_moves_something CHECK (minutes <> 0),
    CONSTRAINT posting_minutes_bounded CHECK (minutes BETWEEN -60000000 AND 60000000),
    CONSTRAINT posting_may_not_owe CHECK (may_owe OR balance >= 0)
);
CREATE UNIQUE INDEX posting_by_account ON posting (account, seq) INCLUDE (minutes, balance, effective);

CREATE TABLE answer (
    client   uuid        NOT NULL,
    key      text        NOT NULL,
    request  bytea       NOT NULL,
    recorded timestamptz NOT NULL,
    seq      bigint,
    subject  uuid,
    refusal  text,
    CONSTRAINT answer_one_effect_per_key PRIMARY KEY (client, key),
    CONSTRAINT answer_key_bounded CHECK (octet_length(key) BETWEEN 1 AND 120),
    CONSTRAINT answer_request_length CHECK (octet_length(request) = 32),
    CONSTRAINT answer_entry_or_refusal CHECK ((seq IS NULL) <> (refusal IS NULL))
);

CREATE TABLE hash (
    id   bigint NOT NULL CONSTRAINT hash_pkey PRIMARY KEY,
    hash bytea  NOT NULL,
    CONSTRAINT hash_length CHECK (octet_length(hash) = 32)
);

CREATE TABLE checkpoint (
    size     bigint      NOT NULL CONSTRAINT checkpoint_pkey PRIMARY KEY,
    note     text        NOT NULL,
    recorded timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT checkpoint_size_positive CHECK (size > 0)
);

-- The bank and the pool have no registration: their accounts are there from the start.
INSERT INTO account (id, owner_kind, purpose, unit, may_owe)
SELECT ('x' || substr(md5(random()::text || clock_timestamp()::text || purpose), 1, 15))::bit(60)::bigint + 1,
       owner_kind, purpose, unit, may_owe
FROM (VALUES
    ('pool', 'care', 'care', false),
    ('bank', 'care-issued', 'care', true),
    ('bank', 'care-settled', 'care', false),
    ('bank', 'care-expired', 'care', false),
    ('bank', 'care-written-off', 'care', true),
    ('bank', 'youth-issued', 'youth', true),
    ('bank', 'support-issued', 'support', true)
) AS chart (owner_kind, purpose, unit, may_owe);

-- +goose StatementBegin
CREATE FUNCTION entry_check() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    first_seq bigint; last_seq bigint; n bigint; before_seq bigint; before_recorded timestamptz; first_recorded timestamptz;
BEGIN
    SELECT min(seq), max(seq), count(*), min(recorded) INTO first_seq, last_seq, n, first_recorded FROM added;
    IF n = 0 THEN RETURN NULL; END IF;
    SELECT seq, recorded INTO before_seq, before_recorded FROM entry WHERE seq < first_seq ORDER BY seq DESC LIMIT 1;
    IF first_seq <> coalesce(before_seq + 1, 0) OR last_seq - first_seq + 1 <> n THEN
        RAISE EXCEPTION 'entries % to % do not follow entry %', first_seq, last_seq, before_seq
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_seq_gapless', TABLE = 'entry';
    END IF;
    IF first_recorded < before_recorded THEN
        RAISE EXCEPTION 'entry % is recorded before entry %', first_seq, before_seq
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_recorded_in_order', TABLE = 'entry';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION posting_check() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bad record;
BEGIN
    SELECT seq, unit, sum(minutes) AS sum INTO bad FROM added GROUP BY seq, unit HAVING sum(minutes) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % does not balance in %: %', bad.seq, bad.unit, bad.sum
            USING ERRCODE = 'check_violation', CONSTRAINT = 'posting_sums_to_zero', TABLE = 'posting';
    END IF;
    SELECT p.seq, p.account INTO bad FROM added p LEFT JOIN account a ON a.id = p.account
    WHERE a.id IS NULL OR a.unit <> p.unit OR a.may_owe <> p.may_owe LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'posting of entry % does not fit account %', bad.seq, bad.account
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'posting_fits_account', TABLE = 'posting';
    END IF;
    SELECT p.seq INTO bad FROM added p LEFT JOIN entry e ON e.seq = p.seq
    WHERE e.seq IS NULL OR e.effective <> p.effective LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'posting does not fit entry %', bad.seq
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'posting_fits_entry', TABLE = 'posting';
    END IF;
    SELECT p.seq, p.account INTO bad
    FROM (SELECT seq, account, minutes, balance, lag(balance) OVER (PARTITION BY account ORDER BY seq) AS before,
                 row_number() OVER (PARTITION BY account ORDER BY seq) AS nth
          FROM added) p
    WHERE p.balance - p.minutes <> CASE WHEN p.nth > 1 THEN p.before ELSE coalesce(
        (SELECT q.balance FROM posting q WHERE q.account = p.account AND q.seq < p.seq ORDER BY q.seq DESC LIMIT 1), 0) END
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'running balance of account % is wrong at entry %', bad.account, bad.seq
            USING ERRCODE = 'check_violation', CONSTRAINT = 'posting_balance_runs', TABLE = 'posting';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: the ledger is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege', CONSTRAINT = TG_TABLE_NAME || '_append_only', TABLE = TG_TABLE_NAME;
END $$;
-- +goose StatementEnd

CREATE TRIGGER entry_check AFTER INSERT ON entry REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION entry_check();
CREATE TRIGGER posting_check AFTER INSERT ON posting REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION posting_check();

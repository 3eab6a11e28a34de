-- +goose Up
-- What claims of hours earn beyond credit for the volunteer: credit for the pool, and what rounding
-- leaves for the next claim; and what people choose.

ALTER TABLE claim ADD COLUMN pooled bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT claim_pooled_not_negative CHECK (pooled >= 0);

-- What rounding has left for a volunteer in a unit, after an entry that changed it.
CREATE TABLE carry (
    seq       bigint NOT NULL CONSTRAINT carry_seq_fkey REFERENCES entry (seq),
    volunteer uuid   NOT NULL,
    unit      text   NOT NULL,
    rest      bigint NOT NULL,
    parts     bigint NOT NULL,
    CONSTRAINT carry_pkey PRIMARY KEY (volunteer, unit, seq),
    CONSTRAINT carry_unit_earned CHECK (unit IN ('care', 'youth')),
    CONSTRAINT carry_parts_bounded CHECK (parts BETWEEN 1 AND 1000000)
);

CREATE TABLE choice (
    seq       bigint NOT NULL CONSTRAINT choice_pkey PRIMARY KEY CONSTRAINT choice_seq_fkey REFERENCES entry (seq),
    owner     uuid   NOT NULL,
    choice    text   NOT NULL,
    option    text   NOT NULL,
    chosen_on date   NOT NULL
);
CREATE INDEX choice_by_owner ON choice (owner, choice, seq);

CREATE TRIGGER carry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON carry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER choice_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON choice
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT, INSERT ON carry, choice TO timebank_service;

-- +goose Up
-- Who is whose relative, as organizations checked it, and credit given away.

CREATE TABLE relation (
    seq          bigint NOT NULL CONSTRAINT relation_pkey PRIMARY KEY CONSTRAINT relation_seq_fkey REFERENCES entry (seq),
    volunteer    uuid   NOT NULL CONSTRAINT relation_volunteer_fkey REFERENCES volunteer (id),
    relative     uuid   NOT NULL CONSTRAINT relation_relative_fkey REFERENCES volunteer (id),
    kind         text   NOT NULL,
    organization uuid   NOT NULL CONSTRAINT relation_organization_fkey REFERENCES organization (id),
    document     text   NOT NULL,
    recorder     text   NOT NULL,
    approver     text   NOT NULL,
    after        bigint,
    CONSTRAINT relation_kind_known CHECK (kind IN ('spouse', 'parent', 'child', 'grandparent', 'grandchild')),
    CONSTRAINT relation_of_two CHECK (volunteer <> relative),
    CONSTRAINT relation_by_two_persons CHECK (recorder <> approver)
);

CREATE TABLE relation_end (
    relation bigint NOT NULL CONSTRAINT relation_end_once PRIMARY KEY CONSTRAINT relation_end_relation_fkey REFERENCES relation (seq),
    seq      bigint NOT NULL CONSTRAINT relation_end_seq_key UNIQUE CONSTRAINT relation_end_seq_fkey REFERENCES entry (seq)
);
-- A pair has one relation, and another only after the end of that one.
ALTER TABLE relation ADD CONSTRAINT relation_after_fkey FOREIGN KEY (after) REFERENCES relation_end (relation);
CREATE UNIQUE INDEX relation_one_of_a_pair ON relation (least(volunteer, relative), greatest(volunteer, relative), coalesce(after, -1));

CREATE TABLE gift (
    seq      bigint NOT NULL CONSTRAINT gift_pkey PRIMARY KEY CONSTRAINT gift_seq_fkey REFERENCES entry (seq),
    giver    uuid   NOT NULL,
    receiver uuid,
    minutes  bigint NOT NULL,
    given_on date   NOT NULL,
    CONSTRAINT gift_minutes_bounded CHECK (minutes BETWEEN 1 AND 60000000),
    CONSTRAINT gift_to_another CHECK (giver <> receiver)
);
CREATE INDEX gift_by_giver ON gift (giver, given_on);

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['relation', 'relation_end', 'gift']
    LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t || '_append_only', t);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO timebank_service', t);
    END LOOP;
END $$;
-- +goose StatementEnd

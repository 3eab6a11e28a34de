-- +goose Up
-- The life of a rule set: one policy officer drafts it, another approves it, and a third act, not by the
-- one who approved, puts it into force. Only the first set of a book has no approval.

CREATE TABLE rule_draft (
    hash      bytea  NOT NULL CONSTRAINT rule_draft_pkey PRIMARY KEY,
    seq       bigint NOT NULL CONSTRAINT rule_draft_seq_key UNIQUE CONSTRAINT rule_draft_seq_fkey REFERENCES entry (seq),
    by_client uuid   NOT NULL,
    body      text   NOT NULL,
    CONSTRAINT rule_draft_hash_is_of_body CHECK (hash = sha256(convert_to(body, 'UTF8'))),
    CONSTRAINT rule_draft_person_key UNIQUE (hash, by_client)
);

CREATE TABLE rule_approval (
    seq        bigint NOT NULL CONSTRAINT rule_approval_pkey PRIMARY KEY CONSTRAINT rule_approval_seq_fkey REFERENCES entry (seq),
    draft      bytea  NOT NULL CONSTRAINT rule_approval_once UNIQUE,
    drafted_by uuid   NOT NULL,
    by_client  uuid   NOT NULL,
    CONSTRAINT rule_approval_draft_fkey FOREIGN KEY (draft, drafted_by) REFERENCES rule_draft (hash, by_client),
    CONSTRAINT rule_approval_by_another CHECK (by_client <> drafted_by),
    CONSTRAINT rule_approval_person_key UNIQUE (seq, draft, by_client)
);

ALTER TABLE rule_set ADD COLUMN approval bigint, ADD COLUMN approved_by uuid, ADD COLUMN activated_by uuid,
    ADD CONSTRAINT rule_set_approval_fkey FOREIGN KEY (approval, hash, approved_by) REFERENCES rule_approval (seq, draft, by_client),
    ADD CONSTRAINT rule_set_approval_whole CHECK ((approval IS NULL) = (approved_by IS NULL) AND (approval IS NULL) = (activated_by IS NULL)),
    ADD CONSTRAINT rule_set_activated_by_another CHECK (activated_by <> approved_by);
CREATE UNIQUE INDEX rule_set_one_without_approval ON rule_set ((approval IS NULL)) WHERE approval IS NULL;

CREATE TRIGGER rule_draft_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rule_draft
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rule_approval_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rule_approval
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT, INSERT ON rule_draft, rule_approval TO timebank_service;

-- +goose Up
-- What guardians consent to for their wards: that a child takes part, from a day until a day.

CREATE TABLE ward_consent (
    seq      bigint NOT NULL CONSTRAINT ward_consent_pkey PRIMARY KEY CONSTRAINT ward_consent_seq_fkey REFERENCES entry (seq),
    ward     uuid   NOT NULL CONSTRAINT ward_consent_ward_fkey REFERENCES volunteer (id),
    guardian uuid   NOT NULL CONSTRAINT ward_consent_guardian_fkey REFERENCES volunteer (id),
    since    date   NOT NULL,
    until    date   NOT NULL,
    CONSTRAINT ward_consent_by_another CHECK (ward <> guardian)
);
CREATE INDEX ward_consent_by_ward ON ward_consent (ward, seq);

CREATE TRIGGER ward_consent_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ward_consent
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT, INSERT ON ward_consent TO timebank_service;

-- +goose Up
-- Who takes part: organizations, volunteers, partners, the clients that act for them, consents, and the
-- rule sets in force. Each row is bound to the log by the entry that made it. A volunteer's name and
-- birth date are sealed with a key of that person; without the key nothing is left to read, and every
-- hash stays valid.

CREATE TABLE organization (
    id          uuid   NOT NULL CONSTRAINT organization_pkey PRIMARY KEY,
    seq         bigint NOT NULL CONSTRAINT organization_seq_key UNIQUE CONSTRAINT organization_seq_fkey REFERENCES entry (seq),
    name        text   NOT NULL,
    external_id text   CONSTRAINT organization_external_id_key UNIQUE,
    kind        text   NOT NULL,
    district    text   NOT NULL,
    street      text   NOT NULL,
    community   text   NOT NULL,
    grid        text   NOT NULL,
    CONSTRAINT organization_kind_known CHECK (kind IN ('social_organization', 'community_centre', 'community_team',
        'professional_team', 'school_team', 'hospital'))
);

CREATE TABLE volunteer (
    id          uuid   NOT NULL CONSTRAINT volunteer_pkey PRIMARY KEY,
    seq         bigint NOT NULL CONSTRAINT volunteer_seq_key UNIQUE CONSTRAINT volunteer_seq_fkey REFERENCES entry (seq),
    external_id text   CONSTRAINT volunteer_external_id_key UNIQUE,
    guardian    uuid   CONSTRAINT volunteer_guardian_fkey REFERENCES volunteer (id),
    roles       text[] NOT NULL,
    sealed      bytea  NOT NULL,
    CONSTRAINT volunteer_not_own_guardian CHECK (guardian <> id),
    CONSTRAINT volunteer_roles_known CHECK (roles <@ ARRAY['medical_social_worker', 'community_worker', 'professional'])
);
CREATE INDEX volunteer_by_guardian ON volunteer (guardian) WHERE guardian IS NOT NULL;

CREATE TABLE person_key (
    volunteer uuid  NOT NULL CONSTRAINT person_key_pkey PRIMARY KEY CONSTRAINT person_key_volunteer_fkey REFERENCES volunteer (id),
    wrapped   bytea NOT NULL
);

CREATE TABLE partner (
    id          uuid   NOT NULL CONSTRAINT partner_pkey PRIMARY KEY,
    seq         bigint NOT NULL CONSTRAINT partner_seq_key UNIQUE CONSTRAINT partner_seq_fkey REFERENCES entry (seq),
    name        text   NOT NULL,
    external_id text   CONSTRAINT partner_external_id_key UNIQUE
);

CREATE TABLE client (
    id      uuid   NOT NULL CONSTRAINT client_pkey PRIMARY KEY,
    seq     bigint NOT NULL CONSTRAINT client_seq_key UNIQUE CONSTRAINT client_seq_fkey REFERENCES entry (seq),
    role    text   NOT NULL,
    subject uuid,
    label   text   NOT NULL,
    CONSTRAINT client_role_known CHECK (role IN ('operator', 'organization', 'partner', 'volunteer', 'auditor')),
    CONSTRAINT client_subject_named CHECK ((subject IS NULL) = (role IN ('operator', 'auditor')))
);

CREATE TABLE client_revoked (
    client uuid   NOT NULL CONSTRAINT client_revoked_once PRIMARY KEY CONSTRAINT client_revoked_client_fkey REFERENCES client (id),
    seq    bigint NOT NULL CONSTRAINT client_revoked_seq_fkey REFERENCES entry (seq)
);

CREATE TABLE consent (
    seq         bigint NOT NULL CONSTRAINT consent_pkey PRIMARY KEY CONSTRAINT consent_seq_fkey REFERENCES entry (seq),
    volunteer   uuid   NOT NULL CONSTRAINT consent_volunteer_fkey REFERENCES volunteer (id),
    partner     uuid   NOT NULL CONSTRAINT consent_partner_fkey REFERENCES partner (id),
    minutes_max bigint NOT NULL,
    until       date   NOT NULL,
    CONSTRAINT consent_minutes_bounded CHECK (minutes_max BETWEEN 0 AND 60000000)
);
CREATE INDEX consent_by_volunteer ON consent (volunteer, partner, seq);

CREATE TABLE rule_set (
    hash           bytea  NOT NULL CONSTRAINT rule_set_pkey PRIMARY KEY,
    seq            bigint NOT NULL CONSTRAINT rule_set_seq_key UNIQUE CONSTRAINT rule_set_seq_fkey REFERENCES entry (seq),
    effective_from date   NOT NULL CONSTRAINT rule_set_effective_from_key UNIQUE,
    body           text   NOT NULL,
    CONSTRAINT rule_set_hash_is_of_body CHECK (hash = sha256(convert_to(body, 'UTF8')))
);

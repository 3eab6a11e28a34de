-- +goose Up
-- Append-only, twice: nobody may change a row while triggers fire, and the service's login has no right
-- to try. timebank_service is a role; the login of the service is it, or is granted it.

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'timebank_service') THEN
        CREATE ROLE timebank_service NOLOGIN;
    END IF;
    FOREACH t IN ARRAY ARRAY['account', 'entry', 'posting', 'answer', 'hash', 'checkpoint', 'organization', 'volunteer',
        'person_key', 'partner', 'client', 'client_revoked', 'consent', 'rule_set', 'claim', 'hold', 'settlement']
    LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t || '_append_only', t);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO timebank_service', t);
    END LOOP;
    GRANT SELECT ON goose_db_version TO timebank_service;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO timebank_service', current_schema());
END $$;
-- +goose StatementEnd

-- +goose Up
-- What the rules of every group need to have recorded: more kinds of entry, and the policy officer, who
-- drafts rule sets and approves those of others.

ALTER TABLE entry DROP CONSTRAINT entry_kind_known, ADD CONSTRAINT entry_kind_known CHECK (kind IN (
    'hours', 'correction', 'hold', 'confirm', 'cancel', 'hold-expired', 'transfer', 'donation', 'grant', 'expiry', 'support',
    'organization', 'volunteer', 'partner', 'client', 'client-revoked', 'consent', 'rules-draft', 'rules-approval', 'rules',
    'choice', 'relation', 'relation-ended', 'guardian-consent', 'application', 'honour', 'honour-consent', 'nomination',
    'referral', 'clarification'));
-- These settle or undo another entry and must say which; the kinds of the second line may.
ALTER TABLE entry DROP CONSTRAINT entry_refers_where_it_must, ADD CONSTRAINT entry_refers_where_it_must CHECK (
    CASE WHEN refers IS NULL THEN kind NOT IN ('correction', 'confirm', 'cancel', 'hold-expired', 'rules-approval', 'relation-ended', 'grant')
    ELSE kind IN ('correction', 'confirm', 'cancel', 'hold-expired', 'rules-approval', 'relation-ended', 'grant',
                  'rules', 'honour', 'clarification') END);
ALTER TABLE client DROP CONSTRAINT client_role_known, ADD CONSTRAINT client_role_known
    CHECK (role IN ('operator', 'policy_officer', 'organization', 'partner', 'volunteer', 'auditor'));
ALTER TABLE client DROP CONSTRAINT client_subject_named, ADD CONSTRAINT client_subject_named
    CHECK ((subject IS NULL) = (role IN ('operator', 'policy_officer', 'auditor')));

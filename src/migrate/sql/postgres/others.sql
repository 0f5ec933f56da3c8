-- Whether triggers of others may have changed what a chunk stored (schema/functions/others.sql). Asked after the insert,
-- whose lock keeps new ones away until the commit.
select public.warrior_has_other_triggers() as others

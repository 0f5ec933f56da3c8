-- The rows of the skills that a term matches. The seed's gin (fight_skills) costs the same, but refuses a row with a
-- skill over 2,712 bytes (warrior_skill_keys, functions/search/keys.sql).
create index concurrently if not exists idx_warrior_skill_keys on public.warrior using gin (public.warrior_skill_keys(fight_skills));

-- The rows of the skills that a term matches. The seed's gin (fight_skills) would do as well and costs the
-- same (0.90 and 0.91 of the bare table's speed in one run), but refuses a row with a skill over 2,712 bytes.
-- 11 MB for 1,000,000 rows with 25 skills.
create index concurrently if not exists idx_warrior_skill_keys on public.warrior using gin (public.warrior_skill_keys(fight_skills));

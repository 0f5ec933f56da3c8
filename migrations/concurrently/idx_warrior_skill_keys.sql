create index concurrently if not exists idx_warrior_skill_keys on public.warrior using gin (public.warrior_skill_keys(fight_skills));

create index concurrently if not exists idx_warrior_fight_skills on public.warrior using gin (fight_skills);

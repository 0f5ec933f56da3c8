select count(distinct skill) from public.warrior_skill

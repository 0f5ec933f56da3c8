select count(*) from public.warrior where created_at is null

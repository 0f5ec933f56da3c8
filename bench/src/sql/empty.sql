truncate public.warrior

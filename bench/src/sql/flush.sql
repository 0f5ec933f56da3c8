select public.warrior_flush()

select public.warrior_flush(0, 16384)

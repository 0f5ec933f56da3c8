select id from public.warrior order by random() limit 10000

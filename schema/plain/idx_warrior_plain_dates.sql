-- Parts of the date as it is written. Of its parts, since a cast to text depends on settings (DateStyle), which no index may.
create index concurrently if not exists idx_warrior_plain_dates on public.warrior
 using gin ((lpad(extract(year from dob)::text, 4, '0') || '-' || lpad(extract(month from dob)::text, 2, '0') || '-' ||
       lpad(extract(day from dob)::text, 2, '0')) gin_trgm_ops)
  with (fastupdate = off);

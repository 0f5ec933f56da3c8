-- As names.sql, of the dates of those whose name does not hold the term, which a row that came after names.sql may, and that
-- are not among $3. The expression is that of the index (schema/plain/idx_warrior_plain_dates.sql).
  from public.warrior
 where lpad(extract(year from dob)::text, 4, '0') || '-' || lpad(extract(month from dob)::text, 2, '0') || '-' ||
       lpad(extract(day from dob)::text, 2, '0')
           like '%' || $1::text || '%'
   and lower(name) not like '%' || lower($1::text) || '%'
   and id <> all ($3::uuid[])

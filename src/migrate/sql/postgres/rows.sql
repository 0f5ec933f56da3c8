-- Warriors as an import and a check read them: text of any length, so that nothing is cut.
select id, name::text, dob, fight_skills::text[], created_at
  from public.warrior

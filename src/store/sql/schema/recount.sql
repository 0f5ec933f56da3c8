select count_before, count_after, skills_added, letters_added
  from public.warrior_recount()

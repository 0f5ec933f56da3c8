-- What differs from what the triggers keep; $1: the most rows that are worth counting. See V14__triggers_of_others.sql.
select triggers, folds, kept, counted, sampled, skills, dates, letters
  from public.warrior_drift($1::bigint)

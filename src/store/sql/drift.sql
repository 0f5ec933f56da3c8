-- What differs from what the triggers keep; $1: the most rows that are worth counting. See schema/functions/drift.sql.
select triggers, folds, kept, counted, sampled, skills, dates, letters
  from public.warrior_drift($1::bigint)

-- Drift detection (schema/functions/drift.sql); $1: the most rows that are worth counting; 0 counts none.
select triggers, folds, kept, counted, sampled, skills, letters
  from public.warrior_drift($1::bigint)

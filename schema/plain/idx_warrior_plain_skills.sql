-- Substrings of skills, case folded: all skills of a row as one text, each apart from the next by the unit separator, chr(31).
-- An expression of its own, since array_to_string and a cast to text are not immutable, and a function of ours would have
-- to be on every node. Twenty, as the constraint of the table says.
create index concurrently if not exists idx_warrior_plain_skills on public.warrior
 using gin (lower(coalesce(fight_skills[1], '') || chr(31) || coalesce(fight_skills[2], '') ||
           chr(31) || coalesce(fight_skills[3], '') || chr(31) || coalesce(fight_skills[4], '') ||
           chr(31) || coalesce(fight_skills[5], '') || chr(31) || coalesce(fight_skills[6], '') ||
           chr(31) || coalesce(fight_skills[7], '') || chr(31) || coalesce(fight_skills[8], '') ||
           chr(31) || coalesce(fight_skills[9], '') || chr(31) || coalesce(fight_skills[10], '') ||
           chr(31) || coalesce(fight_skills[11], '') || chr(31) || coalesce(fight_skills[12], '') ||
           chr(31) || coalesce(fight_skills[13], '') || chr(31) || coalesce(fight_skills[14], '') ||
           chr(31) || coalesce(fight_skills[15], '') || chr(31) || coalesce(fight_skills[16], '') ||
           chr(31) || coalesce(fight_skills[17], '') || chr(31) || coalesce(fight_skills[18], '') ||
           chr(31) || coalesce(fight_skills[19], '') || chr(31) || coalesce(fight_skills[20], '')) gin_trgm_ops)
  with (fastupdate = off);

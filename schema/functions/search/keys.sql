-- An expression index is built on this function (../../indexes/idx_warrior_skill_keys.sql): another body would make its
-- entries lie, and searches miss rows without an error. The function is therefore created where it is missing, and never
-- replaced. Another body needs another name, and another index.

-- Index keys of fight_skills: the skills themselves, and the beginning of one that is too long for an index entry (2,712
-- bytes), so that no row is refused for its skills: 500 characters are at most 2,000 bytes. The API's longest is 1,000
-- bytes. A search compares the skills again. A hash is no way: PostgreSQL refuses md5() in FIPS mode, and sha256() takes
-- no text. Immutable: text is its own text, whatever the settings. In plpgsql, since one expression there costs less than
-- a call of an SQL function that cannot be inlined.
create function public.warrior_skill_keys(skills text[]) returns text[]
language plpgsql immutable strict parallel safe
as $$
begin
    if octet_length(skills::text) <= 2000 then
        return skills;
    end if;
    return array(select case when octet_length(skill) <= 2000 then skill else left(skill, 500) end
                   from unnest(skills) as skill);
end
$$;

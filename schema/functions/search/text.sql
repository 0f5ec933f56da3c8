-- What the search makes of texts. The tables of decisions, and the plain definition of the search, stand in
-- ../../../docs/ARCHITECTURE.md#the-life-of-a-search.

-- Case folding, cheaper than lower(name) alone. Most names are ASCII, and folding their bytes gives the same
-- (`schema apply` refuses a locale that folds I otherwise). Callers compare under "C", since bytes of UTF-8 match as
-- their characters do. In SQL, so that it is inlined.
create or replace function public.warrior_folded(name text) returns text
language sql immutable parallel safe
as $$
    select case when octet_length(name) = char_length(name) then lower(name collate "C") else lower(name) end
$$;

-- Trigrams for a term of two letters or digits, which has none: three patterns that together find what holds the term.
-- The first two are regular expressions whose trigrams the index can look up: followed by each listed letter or digit,
-- and followed by any other listed character or a space. A space follows every name in idx_warrior_name_parts, so there
-- the two also find a term at the end; dictionaries need the third, a LIKE pattern.
--
-- Null for any other term, and when so many letters are listed that pg_trgm would not expand them.
create or replace function public.warrior_pair_patterns(needle text) returns text[]
language plpgsql stable
as $$
begin
    if needle !~ '^[[:alnum:]]{2}$' then
        return null;
    end if;
    return (
        select array[
                   needle || '[' || string_agg(distinct letter, '') filter (where letter ~ '[[:alnum:]]') || ']',
                   needle || '[ ' || coalesce(string_agg(distinct E'\\' || letter, '') filter (where letter !~ '[[:alnum:]]'), '') || ']',
                   '%' || needle]
          from public.warrior_letter
        having count(*) > 0 and count(distinct letter) <= 200 and bool_and(letter is not null));
end
$$;

-- What the tiers of the search share: texts and samples. The tables of decisions, and the plain definition of the search,
-- stand in ../../../docs/ARCHITECTURE.md#the-life-of-a-search.

-- A sample: some neighbouring pages at random, as the range of ctid from `first` to before `past`. The table has `samples`
-- times as many pages.
create or replace function public.warrior_sample(
    sample_pages integer, out samples double precision, out first tid, out past tid)
language plpgsql stable
as $$
declare
    pages constant bigint := pg_relation_size('public.warrior') / current_setting('block_size')::bigint;
    page constant bigint := floor(random() * greatest(pages - sample_pages + 1, 1));
begin
    samples := greatest(pages::double precision / sample_pages, 1);
    first := format('(%s,0)', page);
    past := format('(%s,0)', page + sample_pages);
end
$$;

-- What pg_trgm can make a trigram of: three letters or digits, or two beside the end of a word. (One beside it also makes
-- one, which is too frequent to help.)
create or replace function public.warrior_has_trigram(needle text) returns boolean
language sql immutable parallel safe
as $$
    select needle ~ '[[:alnum:]]{3}|[[:alnum:]]{2}[^[:alnum:]]|[^[:alnum:]][[:alnum:]]{2}'
$$;

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

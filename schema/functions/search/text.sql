-- What the tiers of the search share: texts and samples. The tables of decisions, and the plain definition of the search,
-- stand in ../../../docs/ARCHITECTURE.md#the-life-of-a-search.

-- A sample: some neighbouring pages at random, as the range of ctid from `first` to before `past`. The table is taken to
-- have `samples` times as many rows.
--
-- VACUUM gives only the empty pages at the table's end back, so after a mass delete of old rows most pages may be empty.
-- A caller whose sample holds no row draws again, and says with `draw`, from 1 to 5, how often it has; the last draw gives
-- the last pages.
create or replace function public.warrior_sample(
    sample_pages integer, draw integer, out samples double precision, out first tid, out past tid)
language plpgsql stable
as $$
declare
    pages constant bigint := pg_relation_size('public.warrior') / current_setting('block_size')::bigint;
    last_page constant bigint := greatest(pages - sample_pages, 0);
    page constant bigint := case draw when 5 then last_page else floor(random() * (last_page + 1)) end;
begin
    samples := greatest(pages::double precision / sample_pages / draw, 1);
    first := format('(%s,0)', page);
    past := format('(%s,0)', page + sample_pages);
end
$$;

-- What pg_trgm can make a trigram of: three letters or digits, two beside the end of a word, or one that is a word. (One
-- beside the end of a word also makes one, which is too frequent to help.)
create or replace function public.warrior_has_trigram(needle text) returns boolean
language sql immutable parallel safe
as $$
    select needle ~ '[[:alnum:]]{3}|[[:alnum:]]{2}[^[:alnum:]]|[^[:alnum:]][[:alnum:]]{2}|[^[:alnum:]][[:alnum:]][^[:alnum:]]'
$$;

-- Case folding, cheaper than lower(name) alone. Most names are ASCII, and folding their bytes gives the same
-- (`schema apply` refuses a locale that folds I otherwise). Callers compare under "C", since bytes of UTF-8 match as
-- their characters do. In SQL, so that it is inlined.
create or replace function public.warrior_folded(name text) returns text
language sql immutable parallel safe
as $$
    select case when octet_length(name) = char_length(name) then lower(name collate "C") else lower(name) end
$$;

-- Whether a name holds the term: `pattern` is its LIKE pattern, `ascii` says that the term is. Cheaper for the many names
-- that do not than warrior_folded, since it folds each name in one way at most: an ASCII term is looked for in the bytes,
-- which misses K (Kelvin) and İ alone, the characters beyond ASCII that fold into it; another term is in no name that is
-- ASCII. In SQL, so that it is inlined.
create or replace function public.warrior_name_holds(name text, pattern text, ascii boolean) returns boolean
language sql immutable parallel safe
as $$
    select case when ascii then lower(name collate "C") like pattern
                else octet_length(name) <> char_length(name) and lower(name) collate "C" like pattern
           end
$$;

-- Trigrams for a term of two letters or digits, which has none: a regular expression for the term and each listed
-- character or a space behind it, whose trigrams the index can look up. A space follows every name in
-- idx_warrior_name_parts, so there it also finds a term at the end; dictionaries need the LIKE pattern of that besides.
--
-- Null for any other term, and when so many letters are listed that pg_trgm would not expand them.
create or replace function public.warrior_pair_expression(needle text) returns text
language plpgsql stable
as $$
begin
    if needle !~ '^[[:alnum:]]{2}$' then
        return null;
    end if;
    return (
        select needle || '[ ' || regexp_replace(string_agg(letter, ''), '([^[:alnum:]])', E'\\\\\\1', 'g') || ']'
          from (select distinct letter from public.warrior_letter) as listed
        having count(*) between 1 and 200 and bool_and(letter is not null));
end
$$;

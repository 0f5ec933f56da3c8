-- Shuffled, since the search takes how far it had to read for how many there are.
insert into public.warrior (name, dob, fight_skills)
select name, dob, fight_skills
  from (
        -- So many that three letters are looked for in buckets at once; 1 in 50 holds "abc".
        select (array[' ', '  ', '!', '0', '9', 'A', 'Ab', 'B', 'Z', '_', 'a', 'ab', 'b', 'z', chr(127), 'É', 'é', 'éé', 'Ж', '東', '東京', chr(128512)])[1 + n % 22]
               || case n % 100
                      when 1 then 'abc '
                      when 2 then 'ABCD'
                      when 3 then 'qxz'
                      when 4 then 'Q'
                      else ''
                  end
               || case when n % 30 = 7 then ' x7qw' else '' end
               || md5(n::text),
               date '1940-01-01' + n % 29000,
               array[case when n % 2 = 0 then 'judo' else 'kendo' end]
          from generate_series(1, 50000) as n
        union all
        -- The term at the very beginning, and alone.
        select name, date '2001-02-03', array['judo']
          from unnest(array['', 'abc', 'ABC', 'Abc', 'abcd', 'ab', 'a', 'x', ' ', 'é', '東', '100%', 'a%b', 'éék']) as name
        union all
        -- All alike, more than are read of a bucket.
        select 'Same name', date '2001-02-03', array['judo'] from generate_series(1, 700)
        union all
        -- Exactly 50 and 51, in names of many beginnings.
        select chr(65 + n % 4) || ' fiftyz', date '1990-01-01', array['judo'] from generate_series(1, 50) as n
        union all
        select chr(65 + n % 4) || 'b onezTwo' || n, date '1990-01-01', array['judo'] from generate_series(1, 51) as n
        union all
        -- More than are read of a bucket: of one character, and of two.
        select chr(65 + n % 3) || chr(32 + n % 7) || ' wzv ' || n, date '1990-01-01', array['judo'] from generate_series(1, 1200) as n
        union all
        select 'M' || chr(97 + n % 2) || ' zvk ' || n, date '1990-01-01', array['judo'] from generate_series(1, 900) as n
        union all
        -- More buckets than are tried.
        select chr(97 + n % 26) || ' vkj', date '1990-01-01', array['judo'] from generate_series(1, 700) as n
        union all
        -- Characters that share a number: 20,000 apart.
        select chr(65 + n % 10 + 20000 * (n % 3)) || 'w kkz ' || n, date '1990-01-01', array['judo'] from generate_series(1, 990) as n
        union all
        values ('caesar', date '0044-03-15 BC', array['judo']), ('far', date '12345-06-07', array['judo']),
               ('forever', date 'infinity', array['judo']), ('end', date '9999-12-31', array['judo'])) as shuffled (name, dob, fight_skills)
 order by md5(name || row_number() over ());

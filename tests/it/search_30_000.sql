insert into public.warrior (name, dob, fight_skills)
select case
           when n % 5 = 0 then 'early ' || n
           when n % 5 = 1 then 'zz late ' || n
           when n % 500 = 2 then 'a long name whose middle is the same as in others and ' || n % 17 || ' the end of it'
           when n % 7 = 2 then 'tie'
           when n % 1000 = 3 then 'J.R.R. of a b c ' || n
           else 'Middle 100% \ _ É ' || n
       end,
       case
           when n % 5 = 1 then date '2001-02-03'
           else date '1940-01-01' + n % 20000
       end,
       case
           when n % 5 = 1 then array['kendo', 'own ' || n, 'behind ' || n]
           when n = 777 then array['rare', 'judo']
           when n = 778 then array['Ünder VIELEN 100% eine lange Fertigkeit', 'judo']
           when n % 7 = 3 then array['Course ' || n || ' of Shotokan', 'Каратэ ' || n]
           else array['judo', 'own ' || n]
       end
  from generate_series(1, 30000) as n;

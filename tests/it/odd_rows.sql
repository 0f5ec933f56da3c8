alter table public.warrior alter column created_at drop not null;
insert into public.warrior (name, dob, fight_skills, created_at) values
    ('forever', 'infinity', '{judo}', 'infinity'),
    ('caesar', '0044-03-15 BC', '{knives}', '0044-03-15 12:00:00+00 BC'),
    ('far', '12345-06-07', '{}', '12345-06-07 00:00:00+00'),
    ('nested', '1990-01-02', '{{inner,deep},{more,still}}', null),
    ('holes', '1990-01-03', '{judo,NULL}', '2020-02-03 04:05:06.789+00'),
    ('wide', '1990-01-04', array[repeat('wide ', 100000), 'x'], '2020-02-03 04:05:06+00');

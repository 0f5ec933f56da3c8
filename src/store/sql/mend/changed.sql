-- Whether somebody has changed a setting of this session. The five that a pooler sets for its clients are left
-- out, and so is statement_timeout, which begin.sql has set.
select exists (select
                 from pg_catalog.pg_settings
                where source = 'session'
                  and name not in ('application_name', 'client_encoding', 'DateStyle', 'TimeZone',
                                   'standard_conforming_strings', 'statement_timeout')) as changed

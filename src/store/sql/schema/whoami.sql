-- The role and the database of this session, for an error that names them.
select current_user::text, current_database()::text

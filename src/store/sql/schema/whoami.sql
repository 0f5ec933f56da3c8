select current_user::text, current_database()::text

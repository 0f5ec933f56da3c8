-- The value of the setting $1, as it is for this role.
select current_setting($1)

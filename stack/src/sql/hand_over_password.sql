select
    set_config('warrior_api.role', $1, false),
    set_config('warrior_api.password', $2, false)

select set_config('warrior_api.limits', json_object($1::text[], $2::text[])::text, false)

-- Names them to drop_functions.sql, which takes no parameters, for this transaction.
select set_config('warrior_api.functions', array_to_json($1::text[])::text, true)

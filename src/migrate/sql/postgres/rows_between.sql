-- From one id to another, both included.
 where id between $1 and $2

-- Gives the session back what role and database say, and drops plans that were made under other settings: a named
-- statement would keep its own. Not DISCARD ALL, which no transaction takes.
discard plans;
reset session authorization;
reset role;
reset all

-- Opens a transaction that can do what the session's settings forbid. A message of its own: whatever is left
-- of statement_timeout bounds this one alone.
start transaction isolation level read committed read write;
set local statement_timeout = 0

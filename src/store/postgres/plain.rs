//! The statements of the plain schema: no triggers, no functions, each on the table alone, so that an engine which distributes
//! it can send them on. Finds by id are those of the tuned schema ([`super::read`]).

mod insert;

mod search;

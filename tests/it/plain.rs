//! The plain schema: how it comes about, and what a server on it does otherwise than on the tuned one. The contract itself
//! is that of every store ([`crate::stores`]).

mod apply;
mod search;
mod serving;

use crate::support::Fresh;

/// Has servers take the statements for an engine that distributes the table, by the mark that they know Citus by.
pub(crate) fn pretend_to_distribute(database: &Fresh) {
    let mark = "set allow_system_table_mods = on; create table pg_catalog.pg_dist_partition ()";
    database.superuser().batch_execute(mark).unwrap();
}

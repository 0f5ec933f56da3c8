//! Drift detection: how the table differs from what its triggers keep.

use postgres::Client;
use postgres::types::Type;

use super::super::drift::Drift;
use super::error::{Doing, SchemaError};

/// None while the table is locked.
pub(super) fn look(client: &mut Client, count_rows_max: i64) -> Result<Option<Drift>, SchemaError> {
    let doing = "comparing public.warrior with what its triggers keep";
    let rows = client
        .query_typed(
            include_str!("../sql/drift.sql"),
            &[(&count_rows_max, Type::INT8)],
        )
        .doing(doing)?;
    match rows.first() {
        Some(row) => Drift::of_row(row).doing(doing),
        None => Ok(None),
    }
}

//! Reading of a file by ids: some of them as bounds, and the rows within intervals of them.

use uuid::Uuid;
use warrior_duckdb::{Connection, Rows};

use super::{Order, Source};
use crate::migrate::error::{Doing, MigrateError};

impl Source {
    /// About `number` ids, drawn at random.
    ///
    /// # Errors
    /// DuckDB's.
    pub(in crate::migrate) fn some_ids(
        &self,
        connection: &mut Connection,
        number: u64,
    ) -> Result<Vec<Uuid>, MigrateError> {
        let (id, table) = (self.id_as_uuid(), &self.table);
        let sql =
            format!("select {id}::varchar from {table} using sample reservoir({number} rows)");
        let rows = match number {
            0 => Vec::new(),
            _ => connection.texts(&sql).doing("drawing some ids")?,
        };
        // An id that is none is NULL, which reads as an empty text.
        let ids = rows.iter().flatten().map(|text| Uuid::try_parse(text));
        Ok(ids.filter_map(Result::ok).collect())
    }

    /// The greatest id; none if no row has one.
    ///
    /// # Errors
    /// DuckDB's.
    pub(in crate::migrate) fn last_id(
        &self,
        connection: &mut Connection,
    ) -> Result<Option<Uuid>, MigrateError> {
        let (id, table) = (self.id_as_uuid(), &self.table);
        let sql = format!("select max({id})::varchar from {table}");
        let text = connection.text(&sql).doing("looking for the last id")?;
        Ok(text.and_then(|text| Uuid::try_parse(&text).ok()))
    }

    /// The rows whose ids are within intervals (the first and the last id of each), in the order of their ids; as
    /// [`Source::rows`] otherwise.
    ///
    /// # Errors
    /// DuckDB's.
    pub(in crate::migrate) fn rows_within(
        &self,
        connection: &mut Connection,
        intervals: &[(Uuid, Uuid)],
    ) -> Result<Rows, MigrateError> {
        let (id, select) = (self.id_as_uuid(), self.select(Order::Position, None));
        let within = |(first, last): &(Uuid, Uuid)| format!("{id} between '{first}' and '{last}'");
        let within = intervals.iter().map(within).collect::<Vec<_>>();
        let sql = format!(
            "{select} where {} order by {id}, rowid",
            within.join(" or ")
        );
        connection.query(&sql).doing("reading the file")
    }

    /// The id as a UUID; a column that is one is left alone, so that DuckDB skips the parts of the file that lie elsewhere.
    fn id_as_uuid(&self) -> String {
        match self.id.kind.as_str() {
            "UUID" => self.id.quoted.clone(),
            _ => format!("try_cast({} as uuid)", self.id.quoted),
        }
    }
}

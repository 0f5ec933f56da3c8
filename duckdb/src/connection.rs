//! Statements on a connection, and their rows as Arrow batches.

use std::fmt;

use adbc_core::options::{IngestMode, OptionStatement};
use adbc_core::{CancelHandle, Connection as _, Database as _, Optionable, Statement as _};
use adbc_driver_manager::{ManagedConnection, ManagedDatabase, ManagedStatement};
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchReader, StringArray};

use crate::error::Error;

/// A connection; its statements run one after the other. Dropped, it rolls back what is open.
pub struct Connection(ManagedConnection);

/// The rows of one statement, read as they are taken.
pub struct Rows {
    reader: Box<dyn RecordBatchReader + Send>,
    /// Rows are produced by the statement, which must outlive them.
    _statement: ManagedStatement,
}

/// Ends the running statement of a connection, from any thread.
pub struct Canceller(Box<dyn CancelHandle>);

impl Connection {
    pub(crate) fn of(database: &ManagedDatabase) -> Result<Self, Error> {
        Ok(Self(database.new_connection()?))
    }

    /// Runs one statement and leaves its rows.
    ///
    /// # Errors
    /// DuckDB's.
    pub fn run(&mut self, sql: &str) -> Result<(), Error> {
        self.query(sql)?.try_for_each(|batch| batch.map(drop))
    }

    /// Runs one statement whose rows are taken batch by batch; nothing is gathered.
    ///
    /// # Errors
    /// DuckDB's, here or while rows are taken.
    pub fn query(&mut self, sql: &str) -> Result<Rows, Error> {
        self.query_with(sql, None)
    }

    /// As [`Self::query`], with one row of `parameters` for `$1` and so on.
    ///
    /// # Errors
    /// DuckDB's, here or while rows are taken.
    pub fn query_with(
        &mut self,
        sql: &str,
        parameters: Option<RecordBatch>,
    ) -> Result<Rows, Error> {
        let mut statement = self.0.new_statement()?;
        statement.set_sql_query(sql)?;
        if let Some(parameters) = parameters {
            statement.prepare()?;
            statement.bind(parameters)?;
        }
        Ok(Rows {
            reader: statement.execute()?,
            _statement: statement,
        })
    }

    /// The first column of the first row, as text; none where it is NULL or there is no row.
    ///
    /// # Errors
    /// DuckDB's, or that the column is no text.
    pub fn text(&mut self, sql: &str) -> Result<Option<String>, Error> {
        let Some(batch) = self.first(sql)? else {
            return Ok(None);
        };
        let texts = as_texts(sql, batch.column(0))?;
        Ok((!texts.is_null(0)).then(|| texts.value(0).to_owned()))
    }

    /// The first column of the first row, as a number.
    ///
    /// # Errors
    /// DuckDB's, or that there is no row, or no BIGINT in it.
    pub fn number(&mut self, sql: &str) -> Result<i64, Error> {
        let batch = self.first(sql)?;
        let batch = batch.ok_or_else(|| Error::new(format!("no row: {sql}")))?;
        let column = batch.column(0);
        match column.as_primitive_opt::<Int64Type>() {
            Some(numbers) if !numbers.is_null(0) => Ok(numbers.value(0)),
            _ => Err(odd(sql, "a number", column)),
        }
    }

    /// All rows of a statement whose columns are texts; NULL is an empty one.
    ///
    /// # Errors
    /// DuckDB's, or that a column is no text.
    pub fn texts(&mut self, sql: &str) -> Result<Vec<Vec<String>>, Error> {
        let mut rows = Vec::new();
        for batch in self.query(sql)? {
            let batch = batch?;
            let text = |column| as_texts(sql, column);
            let columns = batch.columns().iter().map(text);
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            rows.extend((0..batch.num_rows()).map(|row| {
                let text = |texts: &&StringArray| match texts.is_null(row) {
                    true => String::new(),
                    false => texts.value(row).to_owned(),
                };
                columns.iter().map(text).collect()
            }));
        }
        Ok(rows)
    }

    /// Appends a batch to `table`, whose columns it has in their order.
    ///
    /// # Errors
    /// DuckDB's.
    pub fn append(&mut self, table: &str, batch: RecordBatch) -> Result<(), Error> {
        let mut statement = self.0.new_statement()?;
        statement.set_option(OptionStatement::TargetTable, table.into())?;
        statement.set_option(OptionStatement::IngestMode, IngestMode::Append.into())?;
        statement.bind(batch)?;
        statement.execute_update()?;
        Ok(())
    }

    /// What ends the statement that runs on this connection.
    pub fn canceller(&self) -> Canceller {
        Canceller(self.0.get_cancel_handle())
    }

    fn first(&mut self, sql: &str) -> Result<Option<RecordBatch>, Error> {
        let mut found = None;
        // Rows that are left would keep the statement open.
        for batch in self.query(sql)? {
            let batch = batch?;
            if found.is_none() && batch.num_rows() > 0 {
                found = Some(batch);
            }
        }
        Ok(found)
    }
}

impl Canceller {
    /// Ends the running statement; without one it does nothing.
    ///
    /// # Errors
    /// DuckDB's.
    pub fn cancel(&self) -> Result<(), Error> {
        Ok(self.0.try_cancel()?)
    }
}

impl Iterator for Rows {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        Some(batch.map_err(|e| Error::new(without_carrier(&e.to_string()))))
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

/// DuckDB's own words in an error that came through an Arrow stream, which puts its own before them.
fn without_carrier(told: &str) -> &str {
    match told.split_once(". Producer error: ") {
        Some((carrier, words)) if carrier.starts_with("C Data interface error: ") => words,
        _ => told,
    }
}

fn as_texts<'c>(sql: &str, column: &'c ArrayRef) -> Result<&'c StringArray, Error> {
    (column.as_string_opt()).ok_or_else(|| odd(sql, "text", column))
}

fn odd(sql: &str, expected: &str, column: &dyn Array) -> Error {
    let found = column.data_type();
    Error::new(format!(
        "{expected} was expected, and {found} came back: {sql}"
    ))
}

//! A new file of bounded memory: rows come in the order of their ids, in transactions of some hundred thousand, and after
//! each the file is detached and attached again.
//!
//! DuckDB keeps all of the index that it has touched in memory for as long as a file is attached. What it has written it
//! reads again only where a new id belongs, which is at the end.

use std::path::Path;

use warrior_duckdb::{Access, Connection, File};

use super::limit_memory;
use crate::config::SourceArgs;
use crate::migrate::error::{Doing, MigrateError};
use crate::migrate::file::open_for;
use crate::migrate::row::canonical::Canonical;
use crate::migrate::source::{Source, literal};
use crate::migrate::writer::Writer;

/// The table of a new file, the same that `DB_MODE=local` makes.
const TABLE: &str = include_str!("../../store/duckdb/sql/table.sql");
/// The oldest storage version, which every DuckDB since 1.0 opens; a new file would otherwise be one for 2.0 alone.
const STORAGE_VERSION: &str = "v1.0.0";
/// Rows of one transaction: some tens of megabytes of index. Fewer cost time, since each ends with a checkpoint.
const TRANSACTION_ROWS: u64 = 250_000;

/// The file while rows are added, within a transaction that is always open.
pub(super) struct NewFile {
    /// The statement that attaches it once it is made.
    attach: String,
    source: Source,
    writer: Writer,
    transaction_rows: u64,
    /// Rows of this transaction.
    added: u64,
    /// DuckDB, to which the file is attached; it outlives its connections.
    _duckdb: File,
}

impl NewFile {
    pub(super) fn make(
        library: Option<&Path>,
        path: &Path,
        args: &SourceArgs,
    ) -> Result<Self, MigrateError> {
        Self::of_transactions(TRANSACTION_ROWS, library, path, args)
    }

    fn of_transactions(
        transaction_rows: u64,
        library: Option<&Path>,
        path: &Path,
        args: &SourceArgs,
    ) -> Result<Self, MigrateError> {
        let duckdb = open_for(library, Path::new(":memory:"), Access::Create)?;
        let attach = format!("attach {} as exported", literal(&path.to_string_lossy()));
        let mut connection = duckdb.connect().doing("opening DuckDB")?;
        limit_memory(&mut connection, transaction_rows)?;
        let make = format!("{attach} (storage_version '{STORAGE_VERSION}')");
        [&make, "use exported", TABLE]
            .into_iter()
            .try_for_each(|sql| connection.run(sql))
            .doing("making the file")?;
        let source = Source::find(&mut connection, args)?;
        Ok(Self {
            attach,
            writer: Writer::begin(connection, &source)?,
            source,
            transaction_rows,
            added: 0,
            _duckdb: duckdb,
        })
    }

    /// Adds a row, whose id is above those before.
    pub(super) fn add(&mut self, row: &Canonical<'_>) -> Result<(), MigrateError> {
        self.writer.add(row)?;
        self.added += 1;
        match self.added < self.transaction_rows {
            true => Ok(()),
            false => self.settle(),
        }
    }

    /// Brings what was added into the file, and lets go of the memory that it took.
    pub(super) fn settle(&mut self) -> Result<(), MigrateError> {
        self.added = 0;
        self.writer.commit_and_run(&[
            "checkpoint exported",
            "use memory",
            "detach exported",
            &self.attach,
            "use exported",
        ])
    }

    /// What reads the file, as of the last row that was settled.
    pub(super) fn reader(&mut self) -> (&mut Connection, &Source) {
        (self.writer.connection(), &self.source)
    }

    /// Closes the file, and gives the number of its rows.
    pub(super) fn close(self) -> Result<u64, MigrateError> {
        let (mut connection, written) = self.writer.commit()?;
        // Detaching writes all that is in the log into the file.
        ["use memory", "detach exported"]
            .into_iter()
            .try_for_each(|sql| connection.run(sql))
            .doing("finishing the file")?;
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::fs;

    use uuid::Uuid;

    use super::*;
    use crate::migrate::row::canonical::tests::row;

    #[test]
    fn a_file_of_several_transactions_is_one_table_with_its_key_and_storage_version() {
        let program = env::current_exe().unwrap();
        let beside = program.ancestors().map(|f| f.join("lib/libduckdb.so"));
        let library = beside.into_iter().find(|path| path.exists());
        let folder = env::temp_dir().join(format!("warrior-export-{}", Uuid::new_v4().simple()));
        fs::create_dir(&folder).unwrap();
        let path = folder.join("it's new.duckdb");
        let args = SourceArgs {
            file: path.clone(),
            table: "warrior".to_owned(),
            map: Vec::new(),
            skills: None,
            time_zone: None,
        };
        let mut new = NewFile::of_transactions(3, library.as_deref(), &path, &args).unwrap();
        for number in 1..=8 {
            let row = Canonical {
                id: Uuid::from_u128(number),
                ..row()
            };
            new.add(&row).unwrap();
        }
        new.settle().unwrap();
        let (connection, source) = new.reader();
        assert_eq!(source.count(connection).unwrap(), 8);
        assert_eq!(new.close().unwrap(), 8);
        let names = fs::read_dir(&folder).unwrap();
        assert_eq!(names.count(), 1, "a log is left");
        let file = open_for(library.as_deref(), &path, Access::Write).unwrap();
        let mut connection = file.connect().unwrap();
        let version = "select tags['storage_version'] from duckdb_databases() where not internal";
        assert_eq!(
            connection.text(version).unwrap().as_deref(),
            Some("v1.0.0+")
        );
        let again = connection.run("insert into warrior select * from warrior where rowid = 4");
        let refused = again.unwrap_err().to_string();
        assert!(refused.contains("Constraint Error"), "{refused}");
        drop((connection, file));
        fs::remove_dir_all(&folder).unwrap();
    }
}

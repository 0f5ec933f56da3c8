//! Opening of the file that is served: made where it is missing, else known to have the table that this program needs.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use uuid::Uuid;
use warrior_duckdb::arrow_array::cast::AsArray;
use warrior_duckdb::arrow_array::{ArrayRef, RecordBatch, StringArray};
use warrior_duckdb::{Connection, Error, File, Library, OpenError};

use crate::config::Secret;

const TABLE: &str = include_str!("sql/table.sql");
const TABLES: &str = include_str!("sql/tables.sql");
const COLUMNS: &str = include_str!("sql/columns.sql");
const UNIQUE: &str = include_str!("sql/unique.sql");
const MAKE_SECRET: &str = include_str!("sql/make_secret.sql");
const KEEP_SECRET: &str = include_str!("sql/keep_secret.sql");
const SECRET: &str = include_str!("sql/secret.sql");

/// The storage version of a new file: the oldest, so that every version of the service before this one opens it.
const STORAGE_VERSION: &str = "v1.0.0";
/// The columns that are served, as columns.sql writes them.
const SERVED: [&str; 5] = [
    "id UUID NOT NULL",
    "name VARCHAR NOT NULL",
    "dob DATE NOT NULL",
    "fight_skills VARCHAR[] NOT NULL",
    "created_at TIMESTAMP WITH TIME ZONE",
];
/// Least memory that DuckDB is given: it cannot open a file of some size with less.
const MEMORY_MIN: u64 = 64 << 20;

/// Why a file cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A statement failed while the file was looked at.
    #[error("{} cannot be served: {cause}", .path.display())]
    Statement {
        /// The file.
        path: PathBuf,
        /// DuckDB's words.
        cause: String,
    },
    /// It has tables, and none that is called warrior.
    #[error(
        "{} has no table warrior, but {found}; set DUCKDB_FILE to the file of the warriors, or to a new path",
        .path.display()
    )]
    NoTable {
        /// The file.
        path: PathBuf,
        /// What it has.
        found: String,
    },
    /// The table is another than the one that is served.
    #[error(
        "the table warrior in {} cannot be served: {difference}; bring it to PostgreSQL, which takes other shapes: \
         warrior-api duckdb import {}",
        .path.display(),
        .path.display()
    )]
    Shape {
        /// The file.
        path: PathBuf,
        /// What differs.
        difference: String,
    },
    /// The system refuses a thread.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
}

/// Opens or makes the file, and gives the secret that it keeps.
pub(super) fn open(
    library: &Library,
    path: &Path,
    memory: u64,
) -> Result<(File, Secret), FileError> {
    let memory = format!("{}B", memory.max(MEMORY_MIN));
    let settings = [
        ("memory_limit", memory.as_str()),
        // Without effect on a file that is there, which keeps the version it has.
        ("storage_compatibility_version", STORAGE_VERSION),
        ("autoinstall_known_extensions", "false"),
    ];
    let file = library.open(path, warrior_duckdb::Access::Create, &settings)?;
    let failed = |e: Error| FileError::Statement {
        path: path.to_owned(),
        cause: e.to_string(),
    };
    let mut connection = file.connect().map_err(failed)?;
    let tables = texts(&mut connection, TABLES).map_err(failed)?;
    if tables.is_empty() {
        connection.run(TABLE).map_err(failed)?;
    } else if !tables.iter().any(|name| name == "warrior") {
        return Err(FileError::NoTable {
            path: path.to_owned(),
            found: tables.join(", "),
        });
    } else if let Some(difference) = difference(&mut connection).map_err(failed)? {
        return Err(FileError::Shape {
            path: path.to_owned(),
            difference,
        });
    }
    let secret = secret(&mut connection).map_err(failed)?;
    drop(connection);
    Ok((file, secret))
}

/// How the table differs from the one that is served.
fn difference(connection: &mut Connection) -> Result<Option<String>, Error> {
    let found = texts(connection, COLUMNS)?;
    if found != SERVED {
        return Ok(Some(format!(
            "its columns are {}, and this program serves {}",
            found.join(", "),
            SERVED.join(", ")
        )));
    }
    let unique = connection.number(UNIQUE)?;
    Ok((unique == 0).then(|| {
        "neither a primary key nor a unique constraint keeps its ids apart, so that a create that is repeated would be \
         stored twice"
            .to_owned()
    }))
}

/// The secret of the file, made where there is none: two random UUIDs.
fn secret(connection: &mut Connection) -> Result<Secret, Error> {
    connection.run(MAKE_SECRET)?;
    let random = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let column: ArrayRef = Arc::new(StringArray::from(vec![random]));
    let row = RecordBatch::try_from_iter([("1", column)]);
    let row = row.map_err(|e| Error::new(e.to_string()))?;
    for done in connection.query_with(KEEP_SECRET, Some(row))? {
        done?;
    }
    let secret = connection.text(SECRET)?;
    secret
        .map(Secret::new)
        .ok_or_else(|| Error::new("warrior_secret has no row"))
}

/// The first column of all rows.
fn texts(connection: &mut Connection, sql: &str) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    for batch in connection.query(sql)? {
        let batch = batch?;
        let texts = batch.column(0).as_string_opt::<i32>();
        let texts = texts.ok_or_else(|| Error::new("a name is no text"))?;
        found.extend(texts.iter().flatten().map(str::to_owned));
    }
    Ok(found)
}

//! Opening of the file that is served: made where it is missing, else known to have the table that this program needs.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use uuid::Uuid;
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
const CONSTRAINTS: &str = include_str!("sql/constraints.sql");
const COUNT: &str = include_str!("sql/count.sql");

/// The storage version of a new file: the oldest, which every DuckDB since 1.0 opens.
const STORAGE_VERSION: &str = "v1.0.0";
/// The columns that are served, as columns.sql writes them.
const SERVED: [&str; 5] = [
    "id UUID NOT NULL",
    "name VARCHAR NOT NULL",
    "dob DATE NOT NULL",
    "fight_skills VARCHAR[] NOT NULL",
    CREATED_AT,
];
const CREATED_AT: &str = "created_at TIMESTAMP WITH TIME ZONE";
/// The same in a file of the service before.
const CREATED_AT_WITHOUT_ZONE: &str = "created_at TIMESTAMP";
/// What has the default of a `created_at` without a zone write UTC: it would be the local time of the machine.
const IN_UTC: &str = "set global timezone = 'UTC'";
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

/// What was found in a file.
#[derive(Debug)]
pub struct Found {
    /// The number of its warriors; none when it was made.
    pub warriors: Option<i64>,
    /// Constraints of its table that the contract does not know.
    pub constraints: Vec<String>,
    /// Whether its `created_at` has a zone; without one it is UTC.
    pub zoned: bool,
}

/// Opens or makes the file. A commit writes the log into the file from `checkpoint_at` on.
pub(super) fn open(
    library: &Library,
    path: &Path,
    memory: u64,
    checkpoint_at: Option<&str>,
) -> Result<(File, Found), FileError> {
    let memory = format!("{}B", memory.max(MEMORY_MIN));
    let settings = [
        ("memory_limit", memory.as_str()),
        // Without effect on a file that is there, which keeps the version it has.
        ("storage_compatibility_version", STORAGE_VERSION),
    ];
    let checkpoint_at = checkpoint_at.map(|size| ("wal_autocheckpoint", size));
    let settings: Vec<_> = settings.into_iter().chain(checkpoint_at).collect();
    // DuckDB takes `:memory:` and `md:name` for something else than files; an absolute path is a file.
    let path = std::path::absolute(path).map_err(|e| OpenError::Refused {
        path: path.to_owned(),
        cause: e.to_string(),
    })?;
    let file = library.open(&path, warrior_duckdb::Access::Create, &settings)?;
    let mut connection = file.connect().map_err(|e| failed(&file, &e))?;
    let found = look(&mut connection, file.path())?;
    drop(connection);
    Ok((file, found))
}

/// Makes the table in a new file, and says what is in another.
fn look(connection: &mut Connection, path: &Path) -> Result<Found, FileError> {
    let failed = |e: Error| FileError::Statement {
        path: path.to_owned(),
        cause: e.to_string(),
    };
    let tables = texts(connection, TABLES).map_err(failed)?;
    if tables.is_empty() {
        connection.run(TABLE).map_err(failed)?;
        return Ok(Found {
            warriors: None,
            constraints: Vec::new(),
            zoned: true,
        });
    }
    if !tables.iter().any(|name| name == "warrior") {
        return Err(FileError::NoTable {
            path: path.to_owned(),
            found: tables.join(", "),
        });
    }
    if let Some(difference) = difference(connection).map_err(failed)? {
        return Err(FileError::Shape {
            path: path.to_owned(),
            difference,
        });
    }
    let columns = connection.texts(COLUMNS).map_err(failed)?;
    let zoned = !columns
        .iter()
        .any(|column| column[1] == CREATED_AT_WITHOUT_ZONE);
    if !zoned {
        connection.run(IN_UTC).map_err(failed)?;
    }
    Ok(Found {
        zoned,
        warriors: Some(connection.number(COUNT).map_err(failed)?),
        constraints: texts(connection, CONSTRAINTS).map_err(failed)?,
    })
}

fn failed(file: &File, error: &Error) -> FileError {
    FileError::Statement {
        path: file.path().to_owned(),
        cause: error.to_string(),
    }
}

/// The secret of the file, made where there is none.
pub(super) fn secret(file: &File) -> Result<Secret, FileError> {
    let kept = |mut connection: Connection| keep_secret(&mut connection);
    file.connect().and_then(kept).map_err(|e| failed(file, &e))
}

/// How the table differs from the one that is served.
fn difference(connection: &mut Connection) -> Result<Option<String>, Error> {
    let columns = connection.texts(COLUMNS)?;
    let (served, others): (Vec<_>, Vec<_>) =
        (columns.iter()).partition(|column| is_served(&column[0]));
    let found: Vec<&str> = served.iter().map(|column| column[1].as_str()).collect();
    let fits = |wanted: &&str| {
        found.contains(wanted) || *wanted == CREATED_AT && found.contains(&CREATED_AT_WITHOUT_ZONE)
    };
    if !SERVED.iter().all(fits) {
        return Ok(Some(format!(
            "its columns are {}, and this program serves {}",
            found.join(", "),
            SERVED.join(", ")
        )));
    }
    let demanded = others.iter().filter(|column| column[2] == "true");
    let demanded: Vec<&str> = demanded.map(|column| column[0].as_str()).collect();
    if !demanded.is_empty() {
        return Ok(Some(format!(
            "no create could be stored, which gives no value to {}: NOT NULL, without a default",
            demanded.join(", ")
        )));
    }
    let unique = connection.number(UNIQUE)?;
    Ok((unique == 0).then(|| {
        "neither a primary key nor a unique constraint keeps its ids apart, so that a create that is repeated would be \
         stored twice"
            .to_owned()
    }))
}

/// Whether a column of this name is served.
fn is_served(name: &str) -> bool {
    SERVED
        .iter()
        .any(|column| column.split(' ').next() == Some(name))
}

/// The secret of the file; where there is none, two random UUIDs.
fn keep_secret(connection: &mut Connection) -> Result<Secret, Error> {
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
    Ok(connection.texts(sql)?.into_iter().flatten().collect())
}

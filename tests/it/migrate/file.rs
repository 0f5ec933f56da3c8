//! DuckDB files of a test, and the program's commands on them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use warrior_api::config::Database;
use warrior_duckdb::{Access, Connection, File, Library};

use crate::program::from;
pub(crate) use crate::stores::library;
use crate::supervisor::{Scratch, WARRIOR_API};

/// A file in a folder of its own.
pub(crate) struct Duck {
    folder: Scratch,
    path: PathBuf,
}

impl Duck {
    /// A place without a file.
    pub(crate) fn none() -> Self {
        let folder = Scratch::new();
        let path = folder.join("app.duckdb");
        Self { folder, path }
    }

    /// A file of the oldest storage version, as the old service has it, after `sql`.
    pub(crate) fn with(sql: &[&str]) -> Self {
        let duck = Self::none();
        let library = Library::find(Some(&library())).unwrap();
        let memory = library
            .open(Path::new(":memory:"), Access::Create, &[])
            .unwrap();
        let mut connection = memory.connect().unwrap();
        let path = duck.path.display();
        let attach = format!("attach '{path}' as app (storage_version 'v1.0.0')");
        for sql in [&attach, "use app"].into_iter().chain(sql.iter().copied()) {
            connection.run(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
        }
        duck
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What stands beside the file.
    pub(crate) fn neighbours(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.join("")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != "app.duckdb").collect()
    }

    pub(crate) fn open(&self, access: Access) -> (File, Connection) {
        let library = Library::find(Some(&library())).unwrap();
        let file = library.open(&self.path, access, &[]).unwrap();
        let connection = file.connect().unwrap();
        (file, connection)
    }

    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.open(Access::Read).1.number(sql).unwrap()
    }

    pub(crate) fn text(&self, sql: &str) -> String {
        self.open(Access::Read)
            .1
            .text(sql)
            .unwrap()
            .unwrap_or_default()
    }

    /// `warrior-api duckdb ACTION FILE`, for `database`.
    pub(crate) fn command(&self, action: &str, database: &Database) -> Command {
        command(action, &self.path, database)
    }
}

/// `warrior-api duckdb ACTION FILE`, for `database`.
pub(crate) fn command(action: &str, file: &Path, database: &Database) -> Command {
    let mut command = Command::new(WARRIOR_API);
    command
        .env_clear()
        .env("DUCKDB_LIBRARY", library())
        // A busy machine takes its time.
        .env("DB_CONNECT_TIMEOUT_MS", "20000")
        .current_dir("/")
        .args(["duckdb", action])
        .arg(file);
    from(&mut command, database);
    command
}

/// Runs a command to its end: its exit status and what it printed.
pub(crate) fn run(command: &mut Command) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the program under test runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let status = status.code().expect("it was not killed");
    (status, text(stdout), text(stderr))
}

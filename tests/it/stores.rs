//! The stores behind the API: each test of its contract runs on every one, PostgreSQL's two schemas among them.

use warrior_api::config::Server;

use crate::server::TestServer;
#[cfg(feature = "duckdb")]
use crate::supervisor::Scratch;
use crate::support::{Fresh, fresh_database, plain_database_anywhere};

/// An empty store of one test's own.
pub(crate) enum Stored {
    Postgresql(Fresh),
    #[cfg(feature = "duckdb")]
    DuckDb(Scratch),
}

impl Stored {
    pub(crate) fn postgresql() -> Self {
        Self::Postgresql(fresh_database())
    }

    pub(crate) fn plain() -> Self {
        Self::Postgresql(plain_database_anywhere())
    }

    #[cfg(feature = "duckdb")]
    pub(crate) fn duckdb() -> Self {
        Self::DuckDb(Scratch::new())
    }

    /// A server on it. A DuckDB file takes one at a time.
    pub(crate) fn server(&self) -> TestServer {
        self.server_with(|_| {})
    }

    /// A server that differs from the usual one.
    pub(crate) fn server_with(&self, change: impl FnOnce(&mut Server)) -> TestServer {
        match self {
            Self::Postgresql(database) => TestServer::with(&database.pooled_login(), change),
            #[cfg(feature = "duckdb")]
            Self::DuckDb(folder) => TestServer::on_file(&folder.join("app.duckdb"), change),
        }
    }
}

/// The library of the build tree, which `make duckdb` puts beside the programs; tests stand one folder deeper.
#[cfg(feature = "duckdb")]
#[expect(
    clippy::disallowed_methods,
    reason = "the one setting of the tests themselves"
)]
pub(crate) fn library() -> std::path::PathBuf {
    let given = std::env::var_os("DUCKDB_LIBRARY").map(std::path::PathBuf::from);
    let program = std::path::Path::new(crate::supervisor::WARRIOR_API);
    let built = program
        .ancestors()
        .map(|folder| folder.join("lib/libduckdb.so"));
    let found = given.or_else(|| built.into_iter().find(|path| path.exists()));
    found.expect("tests of DuckDB need its library: make duckdb")
}

/// Makes tests of each of these functions: on PostgreSQL with either schema, and on a DuckDB file.
macro_rules! on_every_store {
    ($($test:ident),+ $(,)?) => {
        mod on_postgresql {
            $(#[test]
            fn $test() {
                super::$test(&$crate::stores::Stored::postgresql());
            })+
        }

        mod on_the_plain_schema {
            $(#[test]
            fn $test() {
                super::$test(&$crate::stores::Stored::plain());
            })+
        }

        #[cfg(feature = "duckdb")]
        mod on_duckdb {
            $(#[test]
            fn $test() {
                super::$test(&$crate::stores::Stored::duckdb());
            })+
        }
    };
}

pub(crate) use on_every_store;

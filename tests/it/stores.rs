//! The stores behind the API: each test of its contract runs on both.

use warrior_api::config::Server;

use crate::server::TestServer;
#[cfg(feature = "duckdb")]
use crate::supervisor::Scratch;
use crate::support::{Fresh, fresh_database};

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

/// The library that `make duckdb` puts beside the programs; tests stand one folder deeper.
#[cfg(feature = "duckdb")]
pub(crate) fn library() -> std::path::PathBuf {
    let program = std::env::current_exe().expect("it runs");
    (program.ancestors())
        .map(|folder| folder.join("lib/libduckdb.so"))
        .find(|path| path.exists())
        .expect("libduckdb is beside the programs; fetch it with: make duckdb")
}

/// Makes two tests of each of these functions: on PostgreSQL, and on a DuckDB file.
macro_rules! on_both_stores {
    ($($test:ident),+ $(,)?) => {
        mod on_postgresql {
            $(#[test]
            fn $test() {
                super::$test(&$crate::stores::Stored::postgresql());
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

pub(crate) use on_both_stores;

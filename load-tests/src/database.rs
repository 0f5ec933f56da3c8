//! The database under the server: how it is reached directly, and what makes two of them comparable.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use postgres::{Client, Config, NoTls};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How long a direct connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How the database is reached directly.
#[derive(Clone, Debug)]
pub struct DatabaseAccess {
    /// A connection string without a password.
    pub connection: String,
    /// The file that holds the password.
    pub password_file: Option<PathBuf>,
}

/// Facts that make two databases comparable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DatabaseFacts {
    /// `server_version`.
    pub version: String,
    /// Whether a commit reaches the disk at all.
    pub fsync: String,
    /// Whether a commit waits for it.
    pub synchronous_commit: String,
    /// Whether torn pages are survived.
    pub full_page_writes: String,
    /// A digest of every setting that is not at its default.
    pub settings_digest: Option<String>,
}

impl DatabaseAccess {
    /// Connects directly, with the password from the file when there is one.
    ///
    /// # Errors
    /// Names the flag that is wrong, or why PostgreSQL refuses.
    pub fn connect(&self) -> anyhow::Result<Client> {
        let mut config: Config = self.connection.parse().context(
            "--postgres is not a connection string; want `host=... port=... user=... dbname=...`",
        )?;
        if let Some(path) = &self.password_file {
            let password = std::fs::read_to_string(path).with_context(|| {
                format!("cannot read --postgres-password-file {}", path.display())
            })?;
            config.password(password.trim_end_matches(['\r', '\n']));
        }
        config
            .connect_timeout(CONNECT_TIMEOUT)
            .application_name("warrior-load");
        config
            .connect(NoTls)
            .context("cannot connect to PostgreSQL as --postgres says")
    }

    /// Asks what makes this database comparable with another.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn facts(&self) -> anyhow::Result<DatabaseFacts> {
        DatabaseFacts::ask(&mut self.connect()?).context("cannot ask PostgreSQL its settings")
    }

    /// The time of the database's own clock, in seconds since 1970.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn clock(&self) -> anyhow::Result<f64> {
        let mut client = self.connect()?;
        let row = client.query_typed_one(include_str!("database/clock.sql"), &[])?;
        Ok(row.get(0))
    }
}

impl DatabaseFacts {
    fn ask(client: &mut Client) -> anyhow::Result<DatabaseFacts> {
        let row = client.query_typed_one(include_str!("database/facts.sql"), &[])?;
        Ok(DatabaseFacts {
            version: row.get(0),
            fsync: row.get(1),
            synchronous_commit: row.get(2),
            full_page_writes: row.get(3),
            settings_digest: row.get(4),
        })
    }
}

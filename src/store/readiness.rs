//! Readiness: whether the database has a schema that this program needs, and takes writes.

/// The schemas that this program serves, each with statements of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SchemaKind {
    /// Triggers keep count and lists, functions search.
    #[default]
    Tuned,
    /// One table and ordinary indexes, for any engine that speaks PostgreSQL.
    Plain,
}

impl SchemaKind {
    /// Its name before "schema", in sentences.
    pub(crate) fn adjective(self) -> &'static str {
        match self {
            Self::Tuned => "",
            Self::Plain => "plain ",
        }
    }

    /// The command that brings a database to it.
    pub(crate) fn apply_command(self) -> &'static str {
        match self {
            Self::Tuned => "schema apply",
            Self::Plain => "schema apply --plain",
        }
    }
}

/// The database's fitness for this program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// Which schema it has; the tuned one when it has none of ours.
    pub schema: SchemaKind,
    /// The version of its schema; 0 when it has none of ours.
    pub schema_version: i32,
    /// Whether anything can be stored.
    pub writes: Writes,
}

/// Whether anything can be stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Writes {
    /// As far as settings go.
    #[default]
    Possible,
    /// `default_transaction_read_only` is on, for the server, the database or the role.
    ReadOnly,
    /// The server is a standby, or recovers.
    Standby,
}

impl Readiness {
    /// Whether all of the API can be served by a program that needs `schema_version`.
    ///
    /// # Errors
    /// A sentence with the obstacle and the next command to type.
    pub fn suffices(self, schema_version: i32) -> Result<(), String> {
        if self.schema_version < schema_version {
            return Err(format!(
                "the database has schema version {}, this program needs {schema_version}; run \
                 `warrior-api {}`",
                self.schema_version,
                self.schema.apply_command()
            ));
        }
        match self.writes {
            Writes::Possible => Ok(()),
            Writes::ReadOnly => Err(
                "the database is read only (default_transaction_read_only is on), so nothing can be \
                 stored; find where it is set with psql's `\\drds`, and undo it: alter database ... reset \
                 default_transaction_read_only"
                    .to_owned(),
            ),
            Writes::Standby => Err(
                "the database is a standby or recovers (pg_is_in_recovery), so nothing can be stored; \
                 set POSTGRES_HOST to the primary, or promote this server: select pg_promote()"
                    .to_owned(),
            ),
        }
    }
}

//! What `schema apply` did, of either schema, as a sentence for people.

use std::fmt;
use std::time::Duration;

use crate::store::SchemaKind;

/// What `apply` did.
#[derive(Debug, Default)]
pub struct Applied {
    /// Which schema it is.
    pub schema: SchemaKind,
    /// The version that the database has now.
    pub version: i32,
    /// The migrations that were run, by name.
    pub migrations: Vec<String>,
    /// Whether the functions were created again.
    pub functions: bool,
    /// Whether a table was there before the first migration.
    pub adopted: bool,
    /// The indexes that were built, by name.
    pub indexes: Vec<&'static str>,
    /// The longest time in one piece that writers of an existing table may have been locked out.
    pub writers_locked_out: Duration,
    /// What the operator should know or may do, each with its command.
    pub notes: Vec<String>,
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.schema.adjective();
        write!(f, "the {kind}schema has version {}", self.version)?;
        if self.adopted {
            write!(
                f,
                "; an existing table was adopted, its writers were locked out for at most {} ms at a time",
                self.writers_locked_out.as_millis()
            )?;
        }
        self.notes.iter().try_for_each(|note| write!(f, "\n{note}"))
    }
}

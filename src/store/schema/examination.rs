//! What an examination of the schema found, of either schema.

use super::super::drift::Drift;
use super::error::SchemaError;
use crate::store::SchemaKind;

/// What was found, each as a sentence.
#[derive(Debug, Default)]
pub(crate) struct Examination {
    /// Which schema it is; the tuned one where there is none.
    pub(crate) schema: SchemaKind,
    /// The version that the database has; `None` when no apply has finished.
    pub(crate) applied: Option<i32>,
    /// Whether an apply was begun that has not finished.
    pub(crate) begun: bool,
    /// A newer program was here.
    pub(crate) newer: Option<String>,
    /// The table is no longer as the migrations left it.
    pub(crate) reshaped: Option<String>,
    /// Migrations that were not applied.
    pub(crate) migrations: Vec<String>,
    /// Whether the list of migrations is hidden from the role of this session.
    pub(crate) history_hidden: bool,
    /// Functions that are missing, or not those of this program.
    pub(crate) functions: Vec<String>,
    /// The function under an index is another one.
    pub(crate) indexed_function: Option<String>,
    /// Indexes that are missing or not valid.
    pub(crate) indexes: Vec<String>,
    /// Indexes under our names that are others.
    pub(crate) other_indexes: Vec<String>,
    /// What every role may use, though only the owner should.
    pub(crate) exposed: Vec<String>,
    /// The triggers, or what they fill, are not those of this program.
    pub(crate) triggers: Option<String>,
    /// The last apply was cut off at its end.
    pub(crate) unfinished: Option<String>,
    /// The role that serves requests is not there.
    pub(crate) no_role: Option<String>,
    /// What others have put on the table, beside which the service cannot work.
    pub(crate) obstacles: Vec<String>,
    /// What others have put on the table, and functions of an older program.
    pub(crate) notes: Vec<String>,
    /// The table beside what its triggers keep.
    pub(crate) compared: Compared,
}

/// The comparison of the table with what its triggers keep.
#[derive(Debug, Default)]
pub(crate) enum Compared {
    /// There is no schema that could be compared.
    #[default]
    Absent,
    /// Other sessions hold the table: these.
    Held(String),
    /// What it found.
    Drift(Drift),
    /// PostgreSQL refused it, or it took longer than this session allows.
    Failed(SchemaError),
}

impl Examination {
    /// Whether something stands between the database and this program that an apply would do.
    pub(super) fn is_pending(&self) -> bool {
        let parts = [
            &self.migrations,
            &self.functions,
            &self.indexes,
            &self.exposed,
        ];
        parts.into_iter().any(|part| !part.is_empty()) || self.triggers.is_some()
    }
}

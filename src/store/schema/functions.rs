//! Functions are source, not history: those of `schema/functions`, and how those of a database differ from them.
//!
//! The database keeps a digest of the text that created its functions, and a fingerprint of each. A function that was
//! dropped, left out of a restore, or changed since, is found by its fingerprint and created again.

use postgres::GenericClient;

use super::error::{Doing, SchemaError};
use super::record::Record;
use super::source::{digest, statements};

/// A file of functions.
pub(super) struct File {
    pub(super) path: &'static str,
    pub(super) sql: &'static str,
}

macro_rules! file {
    ($path:literal) => {
        File {
            path: $path,
            sql: include_str!(concat!("../../../", $path)),
        }
    };
}

/// In the order in which they are run, and best read.
pub(super) const FILES: [File; 12] = [
    file!("schema/functions/count.sql"),
    file!("schema/functions/lists.sql"),
    file!("schema/functions/triggers.sql"),
    file!("schema/functions/others.sql"),
    file!("schema/functions/recount.sql"),
    file!("schema/functions/drift.sql"),
    file!("schema/functions/flush.sql"),
    file!("schema/functions/search/text.sql"),
    file!("schema/functions/search/names.sql"),
    file!("schema/functions/search/dates.sql"),
    file!("schema/functions/search/skills.sql"),
    file!("schema/functions/search/search.sql"),
];

/// The function that an index is built on: created where it is missing, never replaced.
pub(super) const INDEXED: File = file!("schema/functions/search/keys.sql");
const INDEXED_SIGNATURE: &str = "public.warrior_skill_keys(text[])";
/// Creates the triggers.
const TRIGGERS_SIGNATURE: &str = "public.warrior_mend_triggers()";
const DEFINES: &str = "create or replace function public.";

/// A function of the database under the API's prefix.
#[derive(Debug)]
pub(super) struct Function {
    /// Name and types of parameters, in full.
    pub(super) signature: String,
    pub(super) name: String,
    /// A hash of the definition.
    pub(super) fingerprint: String,
    /// Whether this very transaction has created or replaced it.
    pub(super) created_now: bool,
    body: String,
}

/// A definition of the source.
pub(super) struct Definition {
    pub(super) path: &'static str,
    pub(super) name: &'static str,
    pub(super) sql: &'static str,
}

/// The functions of the database.
pub(super) fn existing(client: &mut impl GenericClient) -> Result<Vec<Function>, SchemaError> {
    let rows = client
        .query(include_str!("../sql/schema/functions.sql"), &[])
        .doing("reading the functions")?;
    let function = |row: &postgres::Row| Function {
        signature: row.get("signature"),
        name: row.get("name"),
        fingerprint: row.get("fingerprint"),
        created_now: row.get("created_now"),
        body: row.get("body"),
    };
    Ok(rows.iter().map(function).collect())
}

/// The definitions of [`FILES`], one statement each.
pub(super) fn definitions() -> impl Iterator<Item = Definition> {
    FILES.iter().flat_map(|file| {
        let starts: Vec<usize> = file.sql.match_indices(DEFINES).map(|(at, _)| at).collect();
        let ends = starts.clone().into_iter().skip(1).chain([file.sql.len()]);
        starts.into_iter().zip(ends).map(|(start, end)| {
            let sql = &file.sql[start..end];
            let name = sql[DEFINES.len()..].split('(').next().unwrap_or_default();
            Definition {
                path: file.path,
                name,
                sql,
            }
        })
    })
}

/// What an apply would do to the functions, one line each; none where the database has those of this program.
pub(super) fn pending(recorded: Option<&Record>, existing: &[Function]) -> Vec<String> {
    let Some(record) = recorded.filter(|record| record.digest == current_digest()) else {
        return vec!["the functions are not those of this program".to_owned()];
    };
    let expected = record.functions.iter().zip(&record.fingerprints);
    let mut pending: Vec<String> = expected
        .filter_map(|(signature, fingerprint)| match find(existing, signature) {
            None => Some(format!("the function {signature} is missing")),
            Some(found) if found.fingerprint != *fingerprint => Some(format!(
                "the function {signature} was changed since it was created"
            )),
            Some(_) => None,
        })
        .collect();
    if find(existing, INDEXED_SIGNATURE).is_none() {
        pending.push(format!("the function {INDEXED_SIGNATURE} is missing"));
    }
    pending
}

/// Index corruption: refuses a function under an index that is not ours.
///
/// # Errors
/// [`SchemaError::IndexedFunction`]
pub(super) fn check_indexed(existing: &[Function]) -> Result<(), SchemaError> {
    match find(existing, INDEXED_SIGNATURE) {
        Some(found) if statements(&found.body) != statements(body(INDEXED.sql)) => {
            Err(SchemaError::IndexedFunction)
        }
        _ => Ok(()),
    }
}

/// Whether a function is the one that an index is built on.
pub(super) fn is_indexed(function: &Function) -> bool {
    function.signature == INDEXED_SIGNATURE
}

/// Whether that function is there.
pub(super) fn has_indexed(existing: &[Function]) -> bool {
    find(existing, INDEXED_SIGNATURE).is_some()
}

/// Whether drift can be looked for.
pub(super) fn has_drift(existing: &[Function]) -> bool {
    find(existing, "public.warrior_drift(bigint)").is_some()
}

/// The fingerprint of the function that creates the triggers.
pub(super) fn triggers_fingerprint(existing: &[Function]) -> Option<&str> {
    find(existing, TRIGGERS_SIGNATURE).map(|found| found.fingerprint.as_str())
}

pub(super) fn find<'f>(functions: &'f [Function], signature: &str) -> Option<&'f Function> {
    functions.iter().find(|f| f.signature == signature)
}

/// The digest of the text of [`FILES`].
pub(super) fn current_digest() -> String {
    digest(FILES.iter().map(|file| file.sql))
}

fn body(sql: &str) -> &str {
    sql.split("$$").nth(1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::roles::GRANTS;
    use super::super::source::digest;
    use super::{DEFINES, FILES, INDEXED, body, definitions};

    #[test]
    fn the_function_that_an_index_is_built_on_never_changes() {
        assert_eq!(
            digest([body(INDEXED.sql)]),
            "844ae87fa220e78e06a6da2d2d2955fef6e49a2365356e72be852a737d11ae75",
            "the entries of idx_warrior_skill_keys were made by another body; give this one a new name, and a new index"
        );
    }

    #[test]
    fn each_function_is_named_where_rights_are_given() {
        let defined = definitions().map(|definition| definition.name);
        for name in defined.chain(["warrior_skill_keys"]) {
            assert!(GRANTS.contains(&format!("public.{name}(")), "{name}");
        }
    }

    #[test]
    fn each_definition_is_one_statement() {
        for definition in definitions() {
            assert_eq!(
                definition.sql.matches("$$").count(),
                2,
                "{}",
                definition.name
            );
            assert!(definition.sql.contains("$$;"), "{}", definition.name);
        }
        let written: usize = FILES.iter().map(|f| f.sql.matches(DEFINES).count()).sum();
        assert_eq!(definitions().count(), written);
    }
}

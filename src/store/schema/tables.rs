//! Versioned migrations: the files of `schema/tables`, each run once by refinery, in the order of their versions.

use postgres::Client;
use refinery::{Migration, Runner, Target};

use super::error::{Doing, SchemaError};
use super::source::statements;

mod embedded {
    refinery::embed_migrations!("schema/tables");
}

/// All files, by version, for review.
pub(super) fn sources() -> Vec<Migration> {
    let mut sources = embedded::migrations::runner().get_migrations().clone();
    sources.sort();
    sources
}

/// The same without comments, so that the checksum that refinery keeps is one of what a file does.
fn all() -> Vec<Migration> {
    let mut all = sources();
    for migration in &mut all {
        let sql = statements(migration.sql().unwrap_or_default());
        if let Ok(plain) = Migration::unapplied(&migration.to_string(), &sql) {
            *migration = plain;
        }
    }
    all
}

/// The last version.
pub(super) fn last() -> i32 {
    all().last().map_or(0, Migration::version)
}

/// The files that were run on this database, by version.
pub(super) fn applied(client: &mut Client) -> Result<Vec<Migration>, SchemaError> {
    let present = client
        .query_one(include_str!("../sql/schema/history.sql"), &[])
        .doing("looking for applied migrations")?;
    if !present.get::<_, bool>("present") {
        return Ok(Vec::new());
    }
    embedded::migrations::runner()
        .get_applied_migrations(client)
        .map_err(|e| SchemaError::Migration {
            doing: "reading the applied migrations".to_owned(),
            source: Box::new(e),
        })
}

/// The files that were not run.
pub(super) fn pending(applied: &[Migration]) -> Vec<Migration> {
    let last = applied.last().map(Migration::version);
    let mut all = all();
    all.retain(|m| last.is_none_or(|version| m.version() > version));
    all
}

/// Runs the next file.
pub(super) fn run(client: &mut Client, migration: &Migration) -> Result<(), SchemaError> {
    let target = Target::Version(migration.version());
    Runner::new(&all())
        .set_target(target)
        .run(client)
        .map(drop)
        .map_err(|e| SchemaError::Migration {
            doing: format!("running the migration {migration}"),
            source: Box::new(e),
        })
}

/// Compares the files that were run with those of this program, in their order.
///
/// # Errors
/// [`SchemaError::Earlier`], [`SchemaError::Foreign`] or [`SchemaError::NewerTables`], by the first that differs.
pub(super) fn compare(client: &mut Client, applied: &[Migration]) -> Result<(), SchemaError> {
    let all = all();
    for (place, there) in applied.iter().enumerate() {
        let applied = there.to_string();
        match all.get(place) {
            Some(ours) if ours == there => {}
            Some(ours) if ours.to_string() == applied => return Err(earlier(client, &applied)?),
            Some(_) => return Err(SchemaError::Foreign { applied }),
            None => return Err(SchemaError::NewerTables { applied }),
        }
    }
    Ok(())
}

fn earlier(client: &mut Client, applied: &str) -> Result<SchemaError, SchemaError> {
    let whoami = client
        .query_one(include_str!("../sql/schema/whoami.sql"), &[])
        .doing("asking for the database's name")?;
    Ok(SchemaError::Earlier {
        what: format!("migration {applied}"),
        dbname: whoami.get(1),
    })
}

#[cfg(test)]
mod tests {
    use super::{Migration, all};

    /// What databases have written down of each file.
    const CHECKSUMS: [(&str, u64); 4] = [
        ("V1__warrior", 15_460_441_759_702_508_909),
        ("V2__count", 1_150_866_322_996_269_232),
        ("V3__dictionaries", 811_337_577_341_969_735),
        ("V4__secret", 12_803_030_836_375_066_715),
    ];

    #[test]
    fn a_file_that_a_release_has_run_stays_as_it_is() {
        let files: Vec<(String, u64)> = all()
            .iter()
            .map(|m: &Migration| (m.to_string(), m.checksum()))
            .collect();
        let known = CHECKSUMS.map(|(name, checksum)| (name.to_owned(), checksum));
        assert_eq!(
            files, known,
            "every database that has run another text refuses this one: write a new file instead, unless none was \
             released, and its checksum here"
        );
    }
}

//! The batches of each lane, by the server's own statements.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio_postgres::Error;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::link::Link;
use super::{Found, Lookup};
use crate::lane::Job;
use crate::warrior::{NewWarrior, Warrior};

const INSERT: &str = include_str!("../../../../src/store/sql/insert.sql");
const FIND: &str = concat!(
    include_str!("../../../../src/store/sql/shared_columns.sql"),
    include_str!("../../../../src/store/sql/find.sql")
);
const COUNT: &str = include_str!("../../../../src/store/sql/count.sql");
const SEARCHES: &str = concat!(
    include_str!("../../../../src/store/sql/shared_columns.sql"),
    include_str!("../../../../src/store/sql/searches.sql")
);
/// The column of searches.sql that has the number of the term, from 1.
const PLACE: usize = 4;

/// Stores all of them in one statement. A reply that nobody waits for any more is nobody's loss, here and below.
pub(super) async fn create(
    link: Arc<Link>,
    mut jobs: Vec<Job<(Uuid, NewWarrior), ()>>,
) -> Result<(), Error> {
    jobs.sort_unstable_by_key(|job| job.request.0);
    let rows = || jobs.iter().map(|job| &job.request);
    let ids: Vec<Uuid> = rows().map(|(id, _)| *id).collect();
    let names: Vec<&str> = rows().map(|(_, new)| new.name.as_str()).collect();
    let dobs: Vec<String> = rows().map(|(_, new)| new.dob.to_string()).collect();
    let skills: Vec<String> = rows()
        .map(|(_, new)| array_literal(&new.fight_skills))
        .collect();
    link.rows(
        INSERT,
        &[
            (&ids, Type::UUID_ARRAY),
            (&names, Type::TEXT_ARRAY),
            (&dobs, Type::TEXT_ARRAY),
            (&skills, Type::TEXT_ARRAY),
        ],
    )
    .await?;
    for job in jobs {
        job.reply.send(()).ok();
    }
    Ok(())
}

/// Finds all of them in one statement; all counts share another.
pub(super) async fn look_up(link: Arc<Link>, jobs: Vec<Job<Lookup, Found>>) -> Result<(), Error> {
    let ids: Vec<Uuid> = jobs
        .iter()
        .filter_map(|job| match job.request {
            Lookup::Warrior(id) => Some(id),
            Lookup::Count => None,
        })
        .collect();
    let mut found = HashMap::with_capacity(ids.len());
    if !ids.is_empty() {
        for row in link.rows(FIND, &[(&ids, Type::UUID_ARRAY)]).await? {
            let warrior = Warrior::read_stored(&row)?;
            found.insert(warrior.id, warrior);
        }
    }
    let count = match ids.len() < jobs.len() {
        true => link.rows(COUNT, &[]).await?[0].try_get(0)?,
        false => 0,
    };
    for job in jobs {
        let reply = match job.request {
            Lookup::Warrior(id) => Found::Warrior(found.get(&id).cloned()),
            Lookup::Count => Found::Count(count),
        };
        job.reply.send(reply).ok();
    }
    Ok(())
}

/// Searches once for each different term, in one statement.
pub(super) async fn search(
    link: Arc<Link>,
    jobs: Vec<Job<String, Vec<Warrior>>>,
) -> Result<(), Error> {
    let mut asked: BTreeMap<String, Vec<oneshot::Sender<Vec<Warrior>>>> = BTreeMap::new();
    for job in jobs {
        asked.entry(job.request).or_default().push(job.reply);
    }
    let terms: Vec<&str> = asked.keys().map(String::as_str).collect();
    let mut lists = vec![Vec::new(); terms.len()];
    for row in link.rows(SEARCHES, &[(&terms, Type::TEXT_ARRAY)]).await? {
        let place: i64 = row.try_get(PLACE)?;
        lists[place as usize - 1].push(Warrior::read(&row)?);
    }
    for (list, replies) in lists.into_iter().zip(asked.into_values()) {
        for reply in replies {
            reply.send(list.clone()).ok();
        }
    }
    Ok(())
}

/// A PostgreSQL array literal, each element quoted.
fn array_literal(items: &[String]) -> String {
    let mut literal = String::from("{");
    for (place, item) in items.iter().enumerate() {
        literal.push_str(if place == 0 { "\"" } else { ",\"" });
        for letter in item.chars() {
            if matches!(letter, '"' | '\\') {
                literal.push('\\');
            }
            literal.push(letter);
        }
        literal.push('"');
    }
    literal.push('}');
    literal
}

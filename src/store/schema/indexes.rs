//! Concurrent index builds: the indexes on `warrior` are built while writers go on, and again when a killed build has left
//! one unusable.

use postgres::Client;

use super::error::{Doing, SchemaError};
use super::locks;

/// An index that the API needs.
pub(super) struct Index {
    /// Its name; the seed's where the seed has the same index, so that it is not built twice.
    pub(super) name: &'static str,
    /// How PostgreSQL describes it after `ON public.warrior`, without storage parameters.
    pub(super) definition: &'static str,
    /// One statement, since `concurrently` allows no other beside it.
    pub(super) create: &'static str,
}

/// The index of the file that has its name, in a folder.
macro_rules! index {
    ($folder:literal, $name:literal, $definition:literal) => {
        Index {
            name: $name,
            definition: $definition,
            create: include_str!(concat!("../../../", $folder, "/", $name, ".sql")),
        }
    };
}
pub(super) use index;

/// In the order in which they are built.
pub(super) const INDEXES: [Index; 6] = [
    index!(
        "schema/indexes",
        "idx_warrior_name_order",
        "USING btree (name COLLATE \"C\", id) INCLUDE (dob)"
    ),
    index!(
        "schema/indexes",
        "idx_warrior_name_parts",
        "USING gin (((((lower((name)::text) || ' '::text) || chr((19968 + (ascii((name)::text) % 20000)))) || \
         chr((19968 + (ascii(substr((name)::text, 2)) % 20000))))) gin_trgm_ops)"
    ),
    index!(
        "schema/indexes",
        "idx_warrior_date_order",
        "USING btree (dob, name COLLATE \"C\", id)"
    ),
    index!(
        "schema/indexes",
        "idx_warrior_year_order",
        "USING btree (EXTRACT(year FROM dob), name COLLATE \"C\", id) INCLUDE (dob)"
    ),
    index!(
        "schema/indexes",
        "idx_warrior_day_order",
        "USING btree ((((EXTRACT(month FROM dob) * (100)::numeric) + EXTRACT(day FROM dob))), \
         name COLLATE \"C\", id) INCLUDE (dob)"
    ),
    index!(
        "schema/indexes",
        "idx_warrior_skill_keys",
        "USING gin (warrior_skill_keys(fight_skills))"
    ),
];

/// An index of the database.
#[derive(Debug)]
pub(super) struct Existing {
    name: String,
    valid: bool,
    /// Whether it leaves rows out.
    partial: bool,
    definition: String,
    /// The command that drops it.
    drop: String,
}

/// The indexes on the table that no constraint stands on.
pub(super) fn existing(client: &mut Client) -> Result<Vec<Existing>, SchemaError> {
    let rows = client
        .query(include_str!("../sql/schema/indexes.sql"), &[])
        .doing("reading the indexes of public.warrior")?;
    let index = |row: &postgres::Row| Existing {
        name: row.get("name"),
        valid: row.get("valid"),
        partial: row.get("partial"),
        definition: row.get("definition"),
        drop: row.get("drop"),
    };
    Ok(rows.iter().map(index).collect())
}

/// Builds what is missing or unusable, and gives the names of what was built.
pub(super) fn build(
    client: &mut Client,
    progress: &mut dyn FnMut(String),
) -> Result<Vec<&'static str>, SchemaError> {
    let mut built = Vec::new();
    for index in &INDEXES {
        if build_one(client, index, progress)? {
            built.push(index.name);
        }
    }
    Ok(built)
}

/// Builds one of them if it is missing or unusable, and says whether it was.
pub(super) fn build_one(
    client: &mut Client,
    index: &Index,
    progress: &mut dyn FnMut(String),
) -> Result<bool, SchemaError> {
    let found = existing(client)?;
    match found.iter().find(|e| e.name == index.name) {
        Some(same) if same.valid => {
            index.check(same)?;
            return Ok(false);
        }
        Some(unusable) => {
            let awaited = locks::awaited(client)?;
            progress(format!(
                "dropping {}, which a build that did not finish left behind{awaited}",
                index.name
            ));
            client
                .batch_execute(&unusable.drop)
                .doing(&format!("dropping the index {}", index.name))?;
        }
        None => {}
    }
    let awaited = locks::awaited(client)?;
    progress(format!("building the index {}{awaited}", index.name));
    client
        .batch_execute(index.create)
        .doing(&format!("building the index {}", index.name))?;
    Ok(true)
}

/// Drops all of ours.
pub(super) fn drop_all(client: &mut Client) -> Result<(), SchemaError> {
    let found = existing(client)?;
    let ours = |e: &&Existing| INDEXES.iter().any(|index| index.name == e.name);
    found.iter().filter(ours).try_for_each(|index| {
        client
            .batch_execute(&index.drop)
            .doing(&format!("dropping the index {}", index.name))
    })
}

/// Those of the wanted indexes that are missing or unusable, each with the reason.
pub(super) fn wanting<'i>(
    wanted: impl IntoIterator<Item = &'i Index>,
    found: &[Existing],
) -> Vec<String> {
    let reason = |index: &Index| match found.iter().find(|e| e.name == index.name) {
        None => Some(format!("index {} is missing", index.name)),
        Some(e) if !e.valid => Some(format!("index {} is not valid", index.name)),
        Some(_) => None,
    };
    wanted.into_iter().filter_map(reason).collect()
}

/// Indexes under names of the wanted ones that are others, each with the command that gives the name back.
pub(super) fn differing<'i>(
    wanted: impl IntoIterator<Item = &'i Index>,
    found: &[Existing],
) -> Vec<String> {
    let other = |index: &Index| {
        let same = found.iter().find(|e| e.name == index.name && e.valid)?;
        index.check(same).err().map(|e| e.to_string())
    };
    wanted.into_iter().filter_map(other).collect()
}

/// Indexes that the API does not use, each with the command that drops it.
pub(super) fn unused(found: &[Existing]) -> Vec<String> {
    let foreign = |e: &&Existing| INDEXES.iter().all(|index| index.name != e.name);
    let advice = |e: &Existing| {
        format!(
            "the index {} is not used by the API and slows every insert; if nothing else uses it: {};",
            e.name, e.drop
        )
    };
    found.iter().filter(foreign).map(advice).collect()
}

impl Index {
    fn check(&self, found: &Existing) -> Result<(), SchemaError> {
        let described = found
            .definition
            .split_once(" USING ")
            .map_or("", |(_, rest)| rest);
        let described = described
            .split_once(" WITH (")
            .map_or(described, |(bare, _)| bare);
        // pg_trgm may stand in a schema of its own, which then qualifies the operator class.
        let wanted = self.definition.trim_start_matches("USING ");
        if !found.partial && unqualified(described) == wanted {
            return Ok(());
        }
        Err(SchemaError::OtherIndex {
            name: self.name,
            found: found.definition.clone(),
            wanted: self.definition,
        })
    }
}

fn unqualified(definition: &str) -> String {
    definition
        .split(' ')
        .map(|word| match word.strip_suffix(".gin_trgm_ops)") {
            Some(_) => "gin_trgm_ops)",
            None => word,
        })
        .collect::<Vec<_>>()
        .join(" ")
}

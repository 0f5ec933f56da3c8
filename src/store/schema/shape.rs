//! The table's shape: its columns, compared with those of an adopted table, and with those that serving needs.

use postgres::Client;

use super::error::{Doing, SchemaError};

/// A column: name, type, and whether NULL is refused.
pub(super) type Wanted = (&'static str, &'static str, bool);

/// The columns of an adopted table, as `schema/tables/V1__warrior.sql` would have made them. Its `created_at` may still
/// allow NULL.
pub(super) const ADOPTED: [Wanted; 5] = [
    ("id", "uuid", true),
    ("name", "character varying(100)", true),
    ("dob", "date", true),
    ("fight_skills", "text[]", true),
    ("created_at", "timestamp with time zone", false),
];

/// The columns that serving needs, once every file of `schema/tables` has run. A list of its own from the first file that
/// changes a column: an adopted table is older than that file, and is changed by it.
const SERVED: [Wanted; 5] = ADOPTED;

const LOOKING: &str = "looking at the table public.warrior";

/// A column as it is.
struct Column {
    name: String,
    type_name: String,
    not_null: bool,
    has_default: bool,
    plain_collation: bool,
}

/// The state of the table, as the catalog describes it.
pub(super) struct Table {
    /// The role that owns it.
    pub(super) owner: String,
    /// Whether our role is a member of that one.
    pub(super) owned: bool,
    kind: String,
    id_unique: bool,
    columns: Vec<Column>,
}

/// Drift detection for the columns, once every file of `schema/tables` has run: a table of ours may have been changed
/// since.
///
/// # Errors
/// [`SchemaError::Reshaped`] with every difference.
pub(super) fn check(client: &mut Client) -> Result<(), SchemaError> {
    let wrong = match look(client)? {
        Some(table) => table.differences(&SERVED),
        None => vec!["it is gone".to_owned()],
    };
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(SchemaError::Reshaped(wrong)),
    }
}

/// The table, if it is there.
pub(super) fn look(client: &mut Client) -> Result<Option<Table>, SchemaError> {
    let row = client
        .query_opt(include_str!("../sql/schema/table.sql"), &[])
        .doing(LOOKING)?;
    let Some(row) = row else {
        return Ok(None);
    };
    let columns = client
        .query(include_str!("../sql/schema/columns.sql"), &[])
        .doing(LOOKING)?;
    Ok(Some(Table {
        owner: row.get("owner"),
        owned: row.get("owned"),
        kind: row.get("kind"),
        id_unique: row.get("id_unique"),
        columns: columns.iter().map(column).collect(),
    }))
}

impl Table {
    /// Whether a column refuses NULL.
    pub(super) fn refuses_null(&self, name: &str) -> bool {
        let column = self.columns.iter().find(|column| column.name == name);
        column.is_some_and(|column| column.not_null)
    }

    /// What keeps the table from having these columns, each as a clause.
    pub(super) fn differences(&self, wanted: &[Wanted]) -> Vec<String> {
        let mut wrong = Vec::new();
        match self.kind.as_str() {
            "r" => {}
            "p" => wrong.push(
                "it is partitioned, and searches tell rows apart by their place in one table"
                    .to_owned(),
            ),
            "v" | "m" => wrong.push("it is a view".to_owned()),
            _ => wrong.push("it is not a plain table".to_owned()),
        }
        wrong.extend(differences(&self.columns, wanted));
        if wrong.is_empty() && !self.id_unique {
            wrong.push("id has no primary key or unique index of its own".to_owned());
        }
        wrong
    }
}

fn column(row: &postgres::Row) -> Column {
    Column {
        name: row.get("name"),
        type_name: row.get("type"),
        not_null: row.get("not_null"),
        has_default: row.get("has_default"),
        plain_collation: row.get("plain_collation"),
    }
}

fn differences(columns: &[Column], wanted: &[Wanted]) -> Vec<String> {
    let differing = wanted.iter().filter_map(|wanted| differs(columns, wanted));
    let strangers = columns.iter().filter(|column| {
        // A column of others is no obstacle as long as an insert may leave it out.
        let known = wanted.iter().any(|(name, ..)| *name == column.name);
        !known && column.not_null && !column.has_default
    });
    let refused = strangers.map(|column| {
        format!(
            "column {} is unknown to the API and refuses NULL without a default",
            column.name
        )
    });
    differing.chain(refused).collect()
}

fn differs(columns: &[Column], wanted: &Wanted) -> Option<String> {
    let (name, type_name, not_null) = *wanted;
    let Some(column) = columns.iter().find(|c| c.name == name) else {
        return Some(format!("column {name} is missing"));
    };
    if column.type_name != type_name {
        return Some(format!(
            "column {name} is {}, not {type_name}",
            column.type_name
        ));
    }
    if not_null && !column.not_null {
        return Some(format!("column {name} allows NULL"));
    }
    if !column.plain_collation {
        return Some(format!("column {name} has a collation of its own"));
    }
    if name == "created_at" && !column.has_default {
        return Some("column created_at has no default".to_owned());
    }
    None
}

/// The sentence about a table that is no longer as it was made.
pub(super) fn reshaped(client: &mut Client) -> Result<Option<String>, SchemaError> {
    match check(client) {
        Ok(()) => Ok(None),
        Err(e @ SchemaError::Reshaped(_)) => Ok(Some(e.to_string())),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(wanted: &[Wanted]) -> Vec<Column> {
        let column = |(name, type_name, not_null): &Wanted| Column {
            name: (*name).to_owned(),
            type_name: (*type_name).to_owned(),
            not_null: *not_null,
            has_default: *name == "created_at",
            plain_collation: true,
        };
        wanted.iter().map(column).collect()
    }

    /// A shape that later files would leave: a column more, and one that allows NULL.
    #[test]
    fn a_table_has_the_shape_of_its_time() {
        let mut later = ADOPTED.to_vec();
        later.push(("rank", "integer", false));
        later[2].2 = false;
        assert_eq!(differences(&made(&later), &later), [""; 0]);
        assert_eq!(differences(&made(&ADOPTED), &ADOPTED), [""; 0]);
        assert_eq!(
            differences(&made(&ADOPTED), &later),
            ["column rank is missing"]
        );
        assert_eq!(
            differences(&made(&later), &ADOPTED),
            ["column dob allows NULL"]
        );
    }
}

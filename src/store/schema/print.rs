//! `schema print`: everything that an apply may run, in its order, for review.

use super::{adopt, functions, indexes, record, roles, tables};

/// All SQL that `apply` may run, in its order, for review.
#[must_use]
pub fn print() -> String {
    let mut text = String::from(
        "-- Everything that `warrior-api schema apply` may run, in its order. Migrations that the table\n\
         -- refinery_schema_history names are skipped, and so are the functions while the table warrior_schema\n\
         -- holds their digest; the indexes are built outside a transaction, since writers go on meanwhile.\n",
    );
    let (tables, calling) = tables::around_functions(tables::all());
    for migration in &tables {
        section(&mut text, &migration.to_string(), migration.sql());
    }
    section(
        &mut text,
        "in one transaction with the functions: their digest",
        Some(record::CREATE),
    );
    section(
        &mut text,
        "only functions that are declared otherwise now, or no longer",
        Some(functions::DROP),
    );
    for file in &functions::FILES {
        section(&mut text, file.path, Some(file.sql));
    }
    for migration in &calling {
        section(&mut text, &migration.to_string(), migration.sql());
    }
    for (title, sql) in adopt::STEPS {
        section(&mut text, title, Some(sql));
    }
    for index in &indexes::INDEXES {
        section(&mut text, index.name, Some(index.create));
    }
    section(
        &mut text,
        "with the functions, and every time: who may do what",
        Some(roles::GRANTS),
    );
    section(
        &mut text,
        "limits that the role lacks",
        Some(roles::SET_LIMITS),
    );
    text
}

fn section(text: &mut String, title: &str, sql: Option<&str>) {
    text.push_str("\n-- ==== ");
    text.push_str(title);
    text.push_str(" ====\n\n");
    text.push_str(sql.unwrap_or_default().trim_end());
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::super::functions::digest;
    use super::super::record::NUMBER;
    use super::print;

    /// What [`NUMBER`] stands for: the digest of all that `schema print` prints, comments aside.
    const DIGEST: &str = "c40923afba7ad6651fc28b65ede060e549240cfa596f2b0b368f82d96e61c79b";

    #[test]
    fn the_number_stands_for_the_schema_as_it_is() {
        let statements: Vec<String> = print()
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("--"))
            .map(str::to_owned)
            .collect();
        assert_eq!(
            digest(statements.iter().map(String::as_str)),
            DIGEST,
            "the schema has changed: raise NUMBER if {NUMBER} was released with another one, and write its digest here"
        );
    }
}

//! A dry run: `schema print` shows all DDL that an apply may run, in its order, for review.

use super::{adopt, functions, indexes, plain, record, roles, tables, triggers};

/// All DDL that `apply` may run, in its order, for review.
#[must_use]
pub fn print() -> String {
    let mut text = String::from(
        "-- All DDL of `warrior-api schema apply`, in its order. An apply skips what the database has; psql can run this\n\
         -- text on an empty database, and the first apply then adopts what is there. What an apply decides by the\n\
         -- database is not shown: indexes that a killed build left, functions of an older program and the limits that the\n\
         -- role lacks. The indexes are built outside a transaction, since writers go on meanwhile.\n",
    );
    for migration in &tables::sources() {
        section(&mut text, &migration.to_string(), migration.sql());
    }
    section(
        &mut text,
        "in one transaction with the functions: the version record",
        Some(record::CREATE),
    );
    let indexed = &functions::INDEXED;
    section(
        &mut text,
        &format!("{}, only where it is missing", indexed.path),
        Some(indexed.sql),
    );
    for file in &functions::FILES {
        section(&mut text, file.path, Some(file.sql));
    }
    section(
        &mut text,
        "in the same transaction, and once more by every apply: who may do what",
        Some(roles::GRANTS),
    );
    section(&mut text, "the triggers", Some(triggers::MEND));
    section(
        &mut text,
        "the count and the dictionaries",
        Some(triggers::FILL),
    );
    for (title, sql) in adopt::STEPS {
        section(&mut text, title, Some(sql));
    }
    for index in &indexes::INDEXES {
        section(&mut text, index.name, Some(index.create));
    }
    section(
        &mut text,
        "limits that the role lacks",
        Some(roles::SET_LIMITS),
    );
    text
}

/// All DDL that [`apply_plain`](super::apply_plain) may run, in its order, for review, and for engines whose own shell has to
/// run it.
#[must_use]
pub fn print_plain() -> String {
    let mut text = String::from(
        "-- All DDL of `warrior-api schema apply --plain`, in its order. An apply skips what the database has. Where pg_trgm\n\
         -- is not offered it leaves out the extension and the indexes with gin_trgm_ops. Limits that the role lacks are not\n\
         -- shown, and of rights that others were given by default an apply takes back those on the secret.\n",
    );
    section(&mut text, "where it is offered", Some(plain::TRIGRAMS));
    section(&mut text, "the tables", Some(plain::TABLES));
    section(&mut text, "with --distribute", Some(plain::DISTRIBUTE));
    for index in plain::all_indexes() {
        section(&mut text, index.name, Some(index.create));
    }
    section(&mut text, "who may do what", Some(plain::GRANTS_PRINTED));
    section(
        &mut text,
        "the version, once all of it is there",
        Some(&format!(
            "update public.warrior_plain set number = {};",
            super::current_version()
        )),
    );
    text
}

fn section(text: &mut String, title: &str, sql: Option<&str>) {
    text.push_str("\n-- ==== ");
    text.push_str(title);
    text.push_str(" ====\n\n");
    let sql = sql.unwrap_or_default().trim_end();
    text.push_str(sql);
    text.push_str(if sql.ends_with(';') { "\n" } else { ";\n" });
}

#[cfg(test)]
mod tests {
    use super::super::record::NUMBER;
    use super::super::source::digest;
    use super::{plain, print, print_plain};

    /// What [`NUMBER`] stands for: the digest of all that `schema print --plain` prints, and of the grants that an apply runs,
    /// comments aside.
    const DIGEST_PLAIN: &str = "0494602d1eae5399031602722738c6c6f6cf94ee6940f6466cebfbbc1e453005";
    /// The same of `schema print`.
    const DIGEST: &str = "bd59b915ef75f96bdc5b8986e7476d2224f89eb5a73f8cc0ff838774b85e2285";

    #[test]
    fn the_number_stands_for_the_schema_as_it_is() {
        for (text, known) in [
            (print(), DIGEST),
            (print_plain() + plain::GRANTS, DIGEST_PLAIN),
        ] {
            assert_eq!(
                digest([text.as_str()]),
                known,
                "the schema has changed: raise NUMBER if {NUMBER} was released with another one, and write its digest here"
            );
        }
    }
}

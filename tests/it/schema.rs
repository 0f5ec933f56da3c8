//! Schema commands, count and dictionaries.

use warrior_api::store::schema;

use crate::support::{empty_database, fresh_database};

#[test]
fn applies_to_an_empty_database_and_again_to_a_current_one() {
    let database = empty_database();
    let mut client = database.owner();
    let mut lines = Vec::new();
    let done = schema::apply(&mut client, &mut |line| lines.push(line)).unwrap();
    eprintln!("{lines:#?}\n{done}");
    assert_eq!(done.version, schema::current_version());
    assert!(!done.adopted);
    assert!(schema::status(&mut client).unwrap().pending.is_empty());

    let again = schema::apply(&mut client, &mut |_| {}).unwrap();
    assert!(
        again.migrations.is_empty() && again.indexes.is_empty(),
        "{again:?}"
    );
}

#[test]
fn fresh() {
    let database = fresh_database();
    let mut c = database.pooled();
    c.query_typed(
        include_str!("../../src/store/sql/search.sql"),
        &[(&"x", postgres::types::Type::TEXT)],
    )
    .unwrap();
}

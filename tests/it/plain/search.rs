//! Search on the plain schema, compared with the plain definition of the contract.

use postgres::types::{ToSql, Type};
use postgres::{Client, Row};
use serde_json::{Value, json};
use uuid::Uuid;
use warrior_api::store::statements::plain::{DATES, NAMES, SKILLS, SKILLS_APART};

use crate::search::TERMS;
use crate::search::plain::{Hit, PLAIN, hits, in_random_data};
use crate::searches::{FILL, get_their_own_answers};
use crate::server::TestServer;
use crate::support::plain_database_anywhere;

/// The rows of a tier's statement, of which the earlier tiers have found none.
fn tier(client: &mut Client, sql: &str, term: &str) -> Vec<Row> {
    let (most, none) = (50_i64, Vec::<Uuid>::new());
    let mut params: Vec<(&(dyn ToSql + Sync), Type)> =
        vec![(&term, Type::TEXT), (&most, Type::INT8)];
    if sql.contains("$3") {
        params.push((&none, Type::UUID_ARRAY));
    }
    client.query_typed(sql, &params).unwrap()
}

/// What the API would answer for these hits.
fn rendered(hits: &[Hit]) -> Value {
    let hit = |(id, name, dob, skills): &Hit| json!({"id": id, "name": name, "dob": dob, "fight_skills": skills});
    hits.iter().map(hit).collect()
}

#[test]
fn finds_what_the_plain_definition_finds_in_random_data() {
    let database = plain_database_anywhere();
    let server = TestServer::start(&database.direct_login());
    let find = |term: &str| server.find(term).json(200);
    in_random_data(12, database.owner(), find, |hits| rendered(&hits));
}

/// More rows than are answered in each tier, terms with and without trigrams, ties, and what only a term with the separator
/// of skills could confuse.
#[test]
fn finds_what_the_plain_definition_finds_among_30_000_rows() {
    let database = plain_database_anywhere();
    let mut owner = database.owner();
    owner
        .batch_execute(include_str!("../search_30_000.sql"))
        .unwrap();
    owner
        .batch_execute(
            "insert into public.warrior (name, dob, fight_skills)
             values ('apart', '2002-02-02', array['ju', 'do']), ('joined', '2002-02-02', array['ju' || chr(31) || 'do'])",
        )
        .unwrap();
    let server = TestServer::start(&database.direct_login());
    let terms = TERMS
        .into_iter()
        .chain(["1990-01-011", "ju\u{1f}do", "u\u{1f}d"]);
    let plain: Vec<(&str, Value)> = terms
        .map(|term| (term, rendered(&hits(&mut owner, PLAIN, term))))
        .collect();
    for analyzed in [false, true] {
        for (term, plain) in &plain {
            let found = server.find(term).json(200);
            assert_eq!(&found, plain, "term {term:?}, analyzed: {analyzed}");
        }
        owner.batch_execute("vacuum analyze").unwrap();
    }
    assert_eq!(server.names("ju\u{1f}do"), ["joined"]);
}

#[test]
fn searches_that_wait_together_get_their_own_answers() {
    let database = plain_database_anywhere();
    database.owner().batch_execute(FILL).unwrap();
    get_their_own_answers(&database.direct_login());
}

/// Without the extension there is an index for the order alone: slower, and the same answers.
#[test]
fn answers_the_same_without_trigrams() {
    let database = plain_database_anywhere();
    let mut owner = database.owner();
    owner
        .batch_execute("drop extension pg_trgm cascade")
        .unwrap();
    owner
        .batch_execute(include_str!("../search_30_000.sql"))
        .unwrap();
    let status = warrior_api::store::schema::status(&mut owner).unwrap();
    assert!(status.pending.is_empty(), "{status}");
    assert!(
        status
            .notes
            .iter()
            .any(|note| note.contains("pg_trgm is not there")),
        "{status}"
    );
    let server = TestServer::start(&database.direct_login());
    for term in ["early", "late 6666", "1990-01-01", "rare"] {
        let plain = rendered(&hits(&mut owner, PLAIN, term));
        assert_eq!(server.find(term).json(200), plain, "term {term:?}");
    }
}

/// A row may come between the statements of two tiers: the later one leaves it out although the earlier did not find it.
#[test]
fn no_tier_takes_a_row_of_an_earlier_one() {
    let database = plain_database_anywhere();
    let mut owner = database.owner();
    let rows = "insert into public.warrior (name, dob, fight_skills)
                values ('name 19_0', '1990-01-01', '{19_0 1990}'), ('dated', '1990-01-01', '{1990}'),
                       ('1990', '1990-01-01', '{1990}'), ('skilled', '2000-01-01', '{1990,19_0}'),
                       (E'a\x1fb', '2000-01-01', array[E'a\x1fb']), ('apart', '2000-01-01', array[E'a\x1fb'])";
    owner.batch_execute(rows).unwrap();
    for (sql, term, found) in [
        (DATES, "1990", vec!["dated", "name 19_0"]),
        (SKILLS, "1990", vec!["skilled"]),
        (SKILLS, "19\\_0", vec!["skilled"]),
        (SKILLS_APART, "a\u{1f}B", vec!["apart"]),
    ] {
        let rows = tier(&mut owner, sql, term);
        let names: Vec<&str> = rows.iter().map(|row| row.get(1)).collect();
        assert_eq!(names, found, "{term:?}");
    }
}

/// Each tier of a rare term uses its index, and a frequent one the order of names.
#[test]
fn each_tier_has_an_index_that_serves_it() {
    let database = plain_database_anywhere();
    let mut owner = database.owner();
    owner
        .batch_execute(include_str!("../search_30_000.sql"))
        .unwrap();
    owner.batch_execute("vacuum analyze").unwrap();
    for (sql, term, index) in [
        (NAMES, "late 6666", "idx_warrior_plain_names"),
        (NAMES, "early", "idx_warrior_plain_order"),
        (DATES, "1990-01-01", "idx_warrior_plain_dates"),
        (SKILLS, "own 12345", "idx_warrior_plain_skills"),
        (SKILLS, "kendo", "idx_warrior_plain_order"),
    ] {
        let rows = tier(&mut owner, &format!("explain {sql}"), term);
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let plan = plan.join("\n");
        assert!(plan.contains(index), "{term}: {index} is not used:\n{plan}");
    }
}

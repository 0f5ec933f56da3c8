//! Search on the plain schema, compared with the plain definition of the contract.

use std::cell::RefCell;

use postgres::types::Type;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::search::plain::{Hit, PLAIN, hits, store, terms, text, warrior};
use crate::server::TestServer;
use crate::support::plain_database;

/// What the API would answer for these hits.
fn rendered(hits: &[Hit]) -> Value {
    let hit = |(id, name, dob, skills): &Hit| json!({"id": id, "name": name, "dob": dob, "fight_skills": skills});
    hits.iter().map(hit).collect()
}

#[test]
fn finds_what_the_plain_definition_finds_in_random_data() {
    let database = plain_database();
    let server = TestServer::start(&database.direct_login());
    let owner = RefCell::new(database.owner());
    let strategy = (
        prop::collection::vec(warrior(), 0..150),
        prop::collection::vec(text(4), 40),
    );
    let mut runner = TestRunner::new(Config {
        cases: 12,
        max_shrink_iters: 100,
        ..Config::default()
    });
    let result = runner.run(&strategy, |(warriors, random)| {
        let owner = &mut *owner.borrow_mut();
        store(owner, &warriors);
        for term in terms(&warriors, random) {
            let plain = rendered(&hits(owner, PLAIN, &term));
            prop_assert_eq!(server.find(&term).json(200), plain, "term {:?}", term);
        }
        Ok(())
    });
    result.unwrap_or_else(|e| panic!("{e}"));
}

/// More rows than are answered in each tier, terms with and without trigrams, ties, and what only a term with the separator
/// of skills could confuse.
#[test]
fn finds_what_the_plain_definition_finds_among_30_000_rows() {
    let database = plain_database();
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
    for analyzed in [false, true] {
        for term in [
            "a",
            "aa",
            "early",
            "LATE",
            "late 6666",
            "zz",
            "no such thing",
            "-",
            "--",
            "1",
            "19",
            "-05",
            "05-1",
            "1990",
            "1990-01-01",
            "2001-02-03",
            "2001-02",
            "0203",
            "2001-",
            "1990-01-011",
            "judo",
            "own 12345",
            "BEHIND 12346",
            "Vielen 100% eine lange",
            "vielen 100_ eine lange",
            "каратэ 42",
            "rare",
            "r",
            "tie",
            "%",
            "_",
            "\\",
            " ",
            "É",
            "ju\u{1f}do",
            "u\u{1f}d",
        ] {
            let plain = rendered(&hits(&mut owner, PLAIN, term));
            assert_eq!(
                server.find(term).json(200),
                plain,
                "term {term:?}, analyzed: {analyzed}"
            );
        }
        owner.batch_execute("vacuum analyze").unwrap();
    }
    assert_eq!(server.names("ju\u{1f}do"), ["joined"]);
}

/// Terms of which several wait share a batch, and each has its own answer.
#[test]
fn terms_that_wait_together_are_answered_apart() {
    let database = plain_database();
    let server = TestServer::start(&database.direct_login());
    let names: Vec<String> = (0..16).map(|n| format!("warrior number {n:02}")).collect();
    for name in &names {
        server
            .post(&json!({"name": name, "dob": "2000-01-01", "fight_skills": ["judo"]}))
            .location();
    }
    std::thread::scope(|scope| {
        for name in &names {
            let server = &server;
            scope.spawn(move || assert_eq!(server.names(name), [name.as_str()]));
        }
    });
}

/// Without the extension there is an index for the order alone: slower, and the same answers.
#[test]
fn answers_the_same_without_trigrams() {
    let database = plain_database();
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
    let database = plain_database();
    let mut owner = database.owner();
    let rows = "insert into public.warrior (name, dob, fight_skills)
                values ('name 19_0', '1990-01-01', '{19_0 1990}'), ('dated', '1990-01-01', '{1990}'),
                       ('1990', '1990-01-01', '{1990}'), ('skilled', '2000-01-01', '{1990,19_0}'),
                       (E'a\x1fb', '2000-01-01', array[E'a\x1fb']), ('apart', '2000-01-01', array[E'a\x1fb'])";
    owner.batch_execute(rows).unwrap();
    let dates = include_str!("../../../src/store/sql/plain/dates.sql");
    let skills = include_str!("../../../src/store/sql/plain/skills.sql");
    let apart = include_str!("../../../src/store/sql/plain/skills_apart.sql");
    for (sql, term, found) in [
        (dates, "1990", vec!["dated", "name 19_0"]),
        (skills, "1990", vec!["skilled"]),
        (skills, "19\\_0", vec!["skilled"]),
        (apart, "a\u{1f}B", vec!["apart"]),
    ] {
        let (none, most) = (Vec::<uuid::Uuid>::new(), 50_i64);
        let params: [(&(dyn postgres::types::ToSql + Sync), Type); 3] = [
            (&term, Type::TEXT),
            (&most, Type::INT8),
            (&none, Type::UUID_ARRAY),
        ];
        let rows = owner.query_typed(sql, &params).unwrap();
        let names: Vec<&str> = rows.iter().map(|row| row.get(1)).collect();
        assert_eq!(names, found, "{term:?}");
    }
}

/// Each tier of a rare term uses its index, and a frequent one the order of names.
#[test]
fn each_tier_has_an_index_that_serves_it() {
    let database = plain_database();
    let mut owner = database.owner();
    owner
        .batch_execute(include_str!("../search_30_000.sql"))
        .unwrap();
    owner.batch_execute("vacuum analyze").unwrap();
    let names = include_str!("../../../src/store/sql/plain/names.sql");
    let dates = include_str!("../../../src/store/sql/plain/dates.sql");
    let skills = include_str!("../../../src/store/sql/plain/skills.sql");
    for (sql, term, index) in [
        (names, "late 6666", "idx_warrior_plain_names"),
        (names, "early", "idx_warrior_plain_order"),
        (dates, "1990-01-01", "idx_warrior_plain_dates"),
        (skills, "own 12345", "idx_warrior_plain_skills"),
        (skills, "kendo", "idx_warrior_plain_order"),
    ] {
        let explain = format!("explain {sql}");
        let none: Vec<uuid::Uuid> = Vec::new();
        let most = 50_i64;
        let mut params: Vec<(&(dyn postgres::types::ToSql + Sync), Type)> =
            vec![(&term, Type::TEXT), (&most, Type::INT8)];
        if sql != names {
            params.push((&none, Type::UUID_ARRAY));
        }
        let rows = owner.query_typed(&explain, &params).unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let plan = plan.join("\n");
        assert!(plan.contains(index), "{term}: {index} is not used:\n{plan}");
    }
}

//! Equal answers: what a client of one store sees it sees on the other.

use std::collections::BTreeMap;

use postgres::Client;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use warrior_duckdb::arrow_array::cast::AsArray;
use warrior_duckdb::{Access, Library};

use crate::search::plain::{terms, text, warrior};
use crate::stores::{Stored, library};
use crate::supervisor::Scratch;
use crate::support::fresh_database;

/// The same keys make the same ids, so that answers are compared byte for byte.
#[test]
fn searches_and_counts_answer_the_same_on_both_stores() {
    let strategy = (
        prop::collection::vec(warrior(), 100),
        prop::collection::vec(text(3), 40),
    );
    let mut runner = TestRunner::new(Config {
        cases: 2,
        max_shrink_iters: 0,
        ..Config::default()
    });
    let result = runner.run(&strategy, |(warriors, random)| {
        let stores = [Stored::postgresql(), Stored::duckdb()];
        let [postgresql, duckdb] = [stores[0].server(), stores[1].server()];
        for (number, w) in warriors.iter().enumerate() {
            let body = json!({"name": w.name, "dob": w.dob, "fight_skills": w.fight_skills});
            let key = format!("key-of-warrior-{number}");
            let posted = [&postgresql, &duckdb].map(|server| server.post_keyed(&key, &body).body);
            prop_assert_eq!(&posted[0], &posted[1]);
        }
        prop_assert_eq!(postgresql.count(), duckdb.count());
        for term in terms(&warriors, random) {
            let found = [&postgresql, &duckdb].map(|server| server.find(&term).body);
            prop_assert_eq!(&found[0], &found[1], "term {:?}", term);
        }
        Ok(())
    });
    result.unwrap_or_else(|e| panic!("{e}"));
}

/// All code points, each folded by both. One that differs belongs into docs/OPERATIONS.md, where it says that none does.
#[test]
fn every_code_point_is_folded_as_by_postgresql() {
    let database = fresh_database();
    let ours = folded_by_duckdb();
    let theirs = folded_by_postgresql(&mut database.owner());
    assert_eq!(ours.len(), theirs.len());
    let differ: Vec<String> = ours
        .iter()
        .filter(|(point, lower)| theirs[point] != **lower)
        .map(|(point, lower)| format!("U+{point:04X}: {lower:?}, and {:?} there", theirs[point]))
        .collect();
    assert_eq!(differ, [""; 0]);
}

const POINTS: &str =
    "select point from range(1, 1114112) as t(point) where point not between 55296 and 57343";

fn folded_by_duckdb() -> BTreeMap<u32, String> {
    let (library, folder) = (Library::find(Some(&library())).unwrap(), Scratch::new());
    let file = library
        .open(&folder.join("f"), Access::Create, &[])
        .unwrap();
    let sql = format!("select chr(point::integer), lower(chr(point::integer)) from ({POINTS})");
    let mut folded = BTreeMap::new();
    for batch in file.connect().unwrap().query(&sql).unwrap() {
        let batch = batch.unwrap();
        let [points, lower] = [0, 1].map(|i| batch.column(i).as_string::<i32>());
        for (point, lower) in points
            .iter()
            .zip(lower)
            .map(|(p, l)| (p.unwrap(), l.unwrap()))
        {
            folded.insert(u32::from(point.chars().next().unwrap()), lower.to_owned());
        }
    }
    folded
}

fn folded_by_postgresql(client: &mut Client) -> BTreeMap<u32, String> {
    let sql = "select chr(point), lower(chr(point)) from generate_series(1, 1114111) as point
                where point not between 55296 and 57343";
    client
        .query(sql, &[])
        .unwrap()
        .iter()
        .map(|row| {
            (
                u32::from(row.get::<_, &str>(0).chars().next().unwrap()),
                row.get(1),
            )
        })
        .collect()
}

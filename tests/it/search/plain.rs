//! The plain definition of a search, and random warriors and terms to compare with it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Debug;

use postgres::error::SqlState;
use postgres::types::Type;
use postgres::{Client, Row};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use uuid::Uuid;
use warrior_api::store::{Date, Texts};

use crate::supervisor::eventually;

/// The contract as one obvious statement that reads every row: the tier of each, then the order.
pub(crate) const PLAIN: &str = include_str!("../../../bench/src/sql/plain.sql");

#[derive(Clone, Debug)]
pub(crate) struct Warrior {
    pub(crate) name: String,
    pub(crate) dob: String,
    pub(crate) fight_skills: Vec<String>,
}

pub(crate) type Hit = (Uuid, String, String, Vec<Option<String>>);

pub(crate) fn hits(client: &mut Client, sql: &str, term: &str) -> Vec<Hit> {
    let hit = |row: &Row| {
        let (Date(dob), Texts(skills)) = (row.get(2), row.get(3));
        let skills = skills.into_iter().map(|skill| skill.map(str::to_owned));
        (row.get(0), row.get(1), dob, skills.collect())
    };
    let mut found = Vec::new();
    // The role's `statement_timeout` is meant for a machine that has nothing else to do.
    eventually("a search ends within its time", || {
        match client.query_typed(sql, &[(&term, Type::TEXT)]) {
            Ok(rows) => found = rows.iter().map(hit).collect(),
            Err(e) if e.code() == Some(&SqlState::QUERY_CANCELED) => return false,
            Err(e) => panic!("{term:?}: {e:?}"),
        }
        true
    });
    found
}

pub(crate) fn store(client: &mut Client, warriors: &[Warrior]) {
    client.batch_execute("truncate public.warrior").unwrap();
    let insert =
        "insert into public.warrior (name, dob, fight_skills) values ($1, $2::text::date, $3)";
    let mut transaction = client.transaction().unwrap();
    let statement = transaction.prepare(insert).unwrap();
    for w in warriors {
        let row: [&(dyn postgres::types::ToSql + Sync); 3] = [&w.name, &w.dob, &w.fight_skills];
        transaction.execute(&statement, &row).unwrap();
    }
    transaction.commit().unwrap();
}

/// Compares a search with the plain definition on random warriors, `as_found` in its form, for so many tables.
pub(crate) fn in_random_data<T: PartialEq + Debug>(
    cases: u32,
    owner: Client,
    find: impl FnMut(&str) -> T,
    as_found: impl Fn(Vec<Hit>) -> T,
) {
    let both = RefCell::new((owner, find));
    let strategy = (
        prop::collection::vec(warrior(), 0..150),
        prop::collection::vec(text(4), 40),
    );
    let mut runner = TestRunner::new(Config {
        cases,
        max_shrink_iters: 200,
        ..Config::default()
    });
    let result = runner.run(&strategy, |(warriors, random)| {
        let (owner, find) = &mut *both.borrow_mut();
        store(owner, &warriors);
        for term in terms(&warriors, random) {
            let plain = as_found(hits(owner, PLAIN, &term));
            prop_assert_eq!(find(&term), plain, "term {:?}", term);
        }
        Ok(())
    });
    result.unwrap_or_else(|e| panic!("{e}"));
}

/// Few characters, so that random terms are found often: wildcards, both cases, letters whose case
/// PostgreSQL folds in its own way, digits and hyphens that also stand in dates.
pub(crate) fn text(most: usize) -> impl Strategy<Value = String> {
    let characters = prop::sample::select(vec![
        'a',
        'A',
        'b',
        'B',
        'c',
        '%',
        '_',
        '\\',
        ' ',
        'é',
        'É',
        'İ',
        'ı',
        'ß',
        'ẞ',
        'K',
        'k',
        'Σ',
        'ς',
        'σ',
        '0',
        '1',
        '9',
        '-',
        '\'',
        '"',
        '東',
        '\u{1F600}',
        '\u{301}',
    ]);
    prop::collection::vec(characters, 1..=most).prop_map(String::from_iter)
}

pub(crate) fn warrior() -> impl Strategy<Value = Warrior> {
    let dob = (
        prop::sample::select(vec![1, 999, 1901, 1910, 1911, 9999]),
        1..=12u32,
        1..=28u32,
    )
        .prop_map(|(y, m, d)| format!("{y:04}-{m:02}-{d:02}"));
    (text(8), dob, prop::collection::vec(text(4), 1..4)).prop_map(|(name, dob, fight_skills)| {
        Warrior {
            name,
            dob,
            fight_skills,
        }
    })
}

/// Also parts of what is stored, longer than chance would find, in another case.
pub(crate) fn terms(warriors: &[Warrior], random: Vec<String>) -> BTreeSet<String> {
    let mut terms: BTreeSet<String> = random.into_iter().collect();
    for w in warriors.iter().step_by(7) {
        terms.insert(w.name.to_uppercase());
        terms.insert(w.name.to_lowercase());
        terms.extend([
            w.dob.clone(),
            w.dob[..4].to_owned(),
            w.dob[5..].to_owned(),
            w.dob[3..8].to_owned(),
        ]);
        terms.insert(w.fight_skills[0].to_uppercase());
        terms.insert(w.name.chars().skip(1).take(3).collect());
    }
    terms.retain(|term| !term.is_empty());
    terms
}

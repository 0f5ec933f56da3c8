//! Search, compared with the plain definition of the contract.

mod dates;
mod lists;
mod odd_rows;
pub(crate) mod plain;
mod snapshot;

use std::collections::BTreeSet;

use postgres::Client;
use postgres::types::Type;
use uuid::Uuid;
use warrior_api::store::statements::SEARCH;

use crate::support::fresh_database;
use plain::{Hit, PLAIN, hits, in_random_data};

#[test]
fn finds_what_the_plain_definition_finds_in_random_data() {
    let database = fresh_database();
    let mut pooled = database.pooled();
    let find = |term: &str| hits(&mut pooled, SEARCH, term);
    in_random_data(40, database.owner(), find, |hits| hits);
}

/// Terms for the rows of `search_30_000.sql`: found at once in name order; few enough for an index; many, but late in name
/// order; too many different skills for one index condition; ties in the name; over 50.
pub(crate) const TERMS: [&str; 65] = [
    "a",
    "aa",
    "early",
    "late",
    "LATE",
    "late 6",
    "late 66",
    "late 6666",
    "zz",
    "no such thing",
    "-",
    "--",
    "1",
    "19",
    "05",
    "-05",
    "05-1",
    "1990",
    "1990-01-01",
    "2001-02-03",
    "2001-02",
    "0203",
    "2001-",
    "judo",
    "kendo",
    "own",
    "behind",
    "ehin",
    "hi",
    "own 1",
    "own 12345",
    "own 29999",
    "BEHIND 12346",
    "ehind 123",
    "ünder vielen 100% eine lange Fertigkeit",
    "Vielen 100% eine lange",
    "vielen 100_ eine lange",
    "vielen eine lange fertigkeit",
    "own 12",
    "course 2",
    "Course 4237 of Shotokan",
    "237 of shotokan",
    "course 4238 of shotokan",
    "of shotokan",
    "каратэ",
    "каратэ 42",
    "рат",
    "rare",
    "ra",
    "r",
    "tie",
    "a long name whose middle",
    "the end of it",
    "a long name whose middle is the same as in others and 17 the end of it",
    "%",
    "_",
    "\\",
    "100%",
    " ",
    "j.r.r.",
    ".r.r",
    "a b c",
    " b ",
    "é",
    "É",
];

/// Each stage of each tier.
#[test]
fn finds_what_the_plain_definition_finds_among_30_000_rows() {
    let database = fresh_database();
    let mut owner = database.owner();
    // Plans that were cached while the table was empty must serve it when it is full.
    for term in ["a", "abc", "12", "1990-01-01", "judo"] {
        assert!(hits(&mut owner, SEARCH, term).is_empty());
    }
    owner
        .batch_execute(include_str!("search_30_000.sql"))
        .unwrap();
    let plain = TERMS.map(|term| hits(&mut owner, PLAIN, term));
    let assert_plain = |owner: &mut Client, when: &str| {
        for (term, plain) in TERMS.iter().zip(&plain) {
            assert_eq!(&hits(owner, SEARCH, term), plain, "term {term:?} {when}");
        }
    };
    assert_plain(
        &mut owner,
        "while the rows wait in the lists of the indexes",
    );
    owner.batch_execute("vacuum analyze").unwrap();
    // Rows at random and a page of the dictionary at random choose the way.
    for seed in ["0.1", "0.2", "0.3", "0.4", "0.5"] {
        let setseed = format!("select setseed({seed})");
        owner.batch_execute(&setseed).unwrap();
        assert_plain(&mut owner, &format!("after {setseed}"));
    }
    // Most of its parts are in 3,400 skills, the one between them in few.
    let mut transaction = owner.transaction().unwrap();
    let fetched =
        "select idx_tup_fetch from pg_stat_xact_user_tables where relname = 'warrior_skill'";
    let before: i64 = transaction.query_one(fetched, &[]).unwrap().get(0);
    transaction
        .query_typed(SEARCH, &[(&"Course 4238 of Shotokan", Type::TEXT)])
        .unwrap();
    let after: i64 = transaction.query_one(fetched, &[]).unwrap().get(0);
    let read = after - before;
    assert!((1..1000).contains(&read), "{read} skills were read");
    transaction.rollback().unwrap();
    for (term, least) in [
        ("early", 50),
        ("late", 50),
        ("2001-02-03", 50),
        ("kendo", 50),
        ("own", 50),
        ("tie", 50),
    ] {
        assert_eq!(
            hits(&mut owner, SEARCH, term).len(),
            least,
            "term {term:?} was to be found often"
        );
    }
}

/// Hits are read in buckets, by the first one or two characters of the name as it is written: names that
/// begin with what is no letter, with either case, with letters beyond ASCII, with characters that share a
/// number, with the term itself; of one character and of none; all alike; few in each bucket; more in one
/// than are read. Dates of each kind of key.
#[test]
fn finds_what_the_plain_definition_finds_across_buckets_and_days() {
    let database = fresh_database();
    let mut owner = database.owner();
    for term in ["abc", "qx", "1985"] {
        assert!(hits(&mut owner, SEARCH, term).is_empty());
    }
    owner
        .batch_execute(include_str!("search_buckets.sql"))
        .unwrap();
    let names = "abc ABC bcd qxz qx x7q 7qw wzv zvk vkj kkz same Sam fift ftyz onez nez fiftyz oneztwo éék ék 東京 東 \
                 😀a x 100% a%b _a !a Жq";
    let dates = "200 2001 2001-0 2001-02 2001-02-03 02-03 20 85 1985 985 0044 0044-03 12345 1234 2345 0000 9999 \
                 9999-12 2001-13 2001-02-99 - 1- 31";
    let terms: Vec<&str> = names
        .split(' ')
        .chain(dates.split(' '))
        .chain([" ab", "ab ", "ame n", " a", "éék 1"])
        .filter(|term| !term.is_empty())
        .collect();
    let plain: Vec<Vec<Hit>> = terms
        .iter()
        .map(|term| hits(&mut owner, PLAIN, term))
        .collect();
    for analyzed in [false, true] {
        for (term, plain) in terms.iter().zip(&plain) {
            let found = hits(&mut owner, SEARCH, term);
            assert_eq!(&found, plain, "term {term:?}, analyzed: {analyzed}");
        }
        if !analyzed {
            owner.batch_execute("vacuum analyze").unwrap();
        }
    }

    // The buckets alone, of either width; they may give up, but not these.
    let buckets = "
        select case when places is not null then
                   array(select id from public.warrior where ctid = any (places) order by array_position(places, ctid)) end
          from public.warrior_names_by_buckets('%' || $1 || '%', '%' || $1 || '%', $2, false) as places";
    let mut answered = BTreeSet::new();
    for (term, plain) in terms.iter().zip(&plain) {
        for one_character in [true, false] {
            let params = [
                (term as &(dyn postgres::types::ToSql + Sync), Type::TEXT),
                (&one_character, Type::BOOL),
            ];
            let row = owner.query_typed(buckets, &params).unwrap().remove(0);
            let indexable = !term.contains(['%', '_', '-']) && term.chars().count() > 2;
            if let Some(found) = row.get::<_, Option<Vec<Uuid>>>(0)
                && indexable
            {
                let names = plain
                    .iter()
                    .filter(|hit| hit.1.to_lowercase().contains(&term.to_lowercase()));
                let names: Vec<Uuid> = names.map(|hit| hit.0).collect();
                assert_eq!(
                    found, names,
                    "term {term:?}, one character: {one_character}"
                );
                answered.insert((*term, one_character));
            }
        }
    }
    for expected in [
        ("abc", true),
        ("abc", false),
        ("fiftyz", true),
        ("oneztwo", true),
        ("wzv", true),
        ("kkz", true),
    ] {
        assert!(
            answered.contains(&expected),
            "{expected:?} was not answered"
        );
    }
}

//! Searches for rows that the API itself would not store.

use postgres::Client;
use postgres::types::Type;
use uuid::Uuid;
use warrior_api::store::statements::FIND;
use warrior_api::store::{Moment, Texts};

use super::SEARCH;
use super::plain::hits;
use crate::support::fresh_database;

#[test]
fn serves_rows_that_only_other_ways_can_bring_in() {
    let database = fresh_database();
    let mut owner = database.owner();
    let mut runtime = database.runtime();
    owner
        .batch_execute(include_str!("../odd_rows.sql"))
        .unwrap();
    runtime
        .batch_execute("set DateStyle = 'SQL, DMY'; set TimeZone = 'Asia/Kathmandu'")
        .unwrap();

    let dobs = |client: &mut Client, term: &str| -> Vec<(String, String)> {
        hits(client, SEARCH, term)
            .into_iter()
            .map(|(_, name, dob, _)| (name, dob))
            .collect()
    };
    let one = |name: &str, dob: &str| vec![(name.to_owned(), dob.to_owned())];
    assert_eq!(dobs(&mut runtime, "forever"), one("forever", "infinity"));
    assert_eq!(
        dobs(&mut runtime, "0044-03-15"),
        one("caesar", "0044-03-15 BC")
    );
    assert_eq!(dobs(&mut runtime, "12345-06"), one("far", "12345-06-07"));
    assert_eq!(dobs(&mut runtime, "inner"), one("nested", "1990-01-02"));
    assert_eq!(dobs(&mut runtime, "wide wide"), one("wide", "1990-01-04"));

    let ids: Vec<Uuid> = owner
        .query("select id from public.warrior order by name", &[])
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    let mut found = runtime
        .query_typed(FIND, &[(&ids, Type::UUID_ARRAY)])
        .unwrap();
    found.sort_by_key(|row| row.get::<_, String>("name"));
    let shown: Vec<(String, Option<String>)> = found
        .iter()
        .map(|row| (row.get("name"), row.get::<_, Option<Moment>>("created_at")))
        .map(|(name, at)| (name, at.map(|Moment(text)| text)))
        .collect();
    let expected = [
        ("caesar", Some("0044-03-15T12:00:00Z BC")),
        ("far", Some("12345-06-07T00:00:00Z")),
        ("forever", Some("infinity")),
        ("holes", Some("2020-02-03T04:05:06.789Z")),
        ("nested", None),
        ("wide", Some("2020-02-03T04:05:06Z")),
    ];
    let expected: Vec<_> = expected
        .map(|(name, at)| (name.to_owned(), at.map(str::to_owned)))
        .into();
    assert_eq!(shown, expected);
    let skills = |name: &str| {
        let row = found
            .iter()
            .find(|row| row.get::<_, String>("name") == name);
        let Texts(skills) = row.unwrap().get("fight_skills");
        skills
    };
    assert_eq!(skills("holes"), [Some("judo"), None]);
    assert_eq!(
        skills("nested"),
        ["inner", "deep", "more", "still"].map(Some)
    );
}

/// Two digits are looked up as a pair, with what may follow them in a date.
#[test]
fn finds_the_day_of_a_year_before_christ() {
    let database = fresh_database();
    let mut owner = database.owner();
    let rows = "insert into public.warrior (name, dob, fight_skills)
                select 'n', date '1950-01-01', array['judo'] from generate_series(1, 100)
                union all select 'caesar', date '0044-03-31 BC', array['knives']";
    owner.batch_execute(rows).unwrap();
    let found = hits(&mut owner, SEARCH, "31");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].1, "caesar");
}

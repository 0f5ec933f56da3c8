//! Rows of those who used the API before.

use serde_json::{Value, json};
use uuid::Uuid;

use super::insert;
use crate::server::TestServer;
use crate::support::empty_database;

#[test]
fn rows_that_came_in_by_other_ways_are_served_as_they_are() {
    let database = empty_database();
    let mut owner = database.owner();
    // The table of those who used the API before; created_at allows NULL.
    insert(&mut owner, include_str!("adopted.sql"));
    warrior_api::store::schema::apply(&mut owner, &mut |_| {}).unwrap();
    let server = TestServer::start(&database.pooled_login());
    let cases = [
        (1, json!(""), json!("infinity"), json!(["s"]), Value::Null),
        (
            2,
            json!("n"),
            json!("-infinity"),
            json!([]),
            json!("infinity"),
        ),
        (
            3,
            json!("n"),
            json!("0044-03-15 BC"),
            json!(["a", null, "", "NULL"]),
            json!("-infinity"),
        ),
        (
            4,
            json!("n"),
            json!("12000-01-02"),
            json!(["a", "b", "c", "d"]),
            json!("12000-01-02T03:04:05.678901Z"),
        ),
        (
            5,
            json!("n"),
            json!("0001-01-01"),
            json!(["x".repeat(9000)]),
            json!("2020-01-01T00:00:00Z"),
        ),
        (
            6,
            json!("n"),
            json!("2000-01-01"),
            json!(["low", "bound"]),
            json!("2020-01-01T00:00:00Z"),
        ),
    ];
    for (n, name, dob, skills, created_at) in cases {
        let id = Uuid::from_u128(n);
        let found = server.get(&format!("/warrior/{id}")).json(200);
        let expected = json!({
            "id": id, "name": name, "dob": dob, "fight_skills": skills, "created_at": created_at,
        });
        assert_eq!(found, expected);
    }
    assert_eq!(server.count(), 6);
    let ids = |term: &str| -> Vec<u128> {
        let hits = server.find(term).json(200);
        let id = |hit: &Value| {
            hit["id"]
                .as_str()
                .unwrap()
                .parse::<Uuid>()
                .unwrap()
                .as_u128()
        };
        hits.as_array().unwrap().iter().map(id).collect()
    };
    // The date is searched as it is served, if the term could be part of one.
    assert_eq!(ids("12000-0"), [4]);
    assert_eq!(ids("0044-03-15"), [3]);
    assert_eq!(ids("null"), [3]);
    assert_eq!(ids("xxxx"), [5]);
    assert_eq!(ids("low"), [6]);
    assert_eq!(ids("d"), [4, 6]);
}

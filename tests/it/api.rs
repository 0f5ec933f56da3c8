//! The contract of the API, over HTTP, the real pooler and the real database.

mod adopted;
mod bodies;
mod search;
mod texts;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::http::request;
use crate::server::TestServer;
use crate::stores::{Stored, on_every_store};
use crate::support::fresh_database;

on_every_store!(an_unknown_or_odd_id_is_404, head_is_get_without_the_body,);

fn an_unknown_or_odd_id_is_404(store: &Stored) {
    let server = store.server();
    let location = server.post(&warrior("n")).location().to_owned();
    let id = Uuid::parse_str(&location["/warrior/".len()..]).unwrap();
    let others = [
        Uuid::nil().to_string(),
        Uuid::now_v7().to_string(),
        // Forms that PostgreSQL would take for the very same id.
        id.simple().to_string(),
        id.urn().to_string(),
        format!("%7B{id}%7D"),
        format!("{id}0"),
        format!("{id}%00"),
        "%2e%2e".to_owned(),
        "a%2Fb".to_owned(),
        "\u{e9}".to_owned(),
    ];
    for other in others {
        let target = format!("/warrior/{other}");
        server.get(&target).problem(404, "not-found");
    }
    for path in ["/", "/warrior/", "//warrior", "/live", "/ready", "/metrics"] {
        server.get(path).problem(404, "not-found");
    }
    assert_eq!(server.get(&location).status, 200);
}

#[test]
fn the_count_is_exact_whoever_writes() {
    let database = fresh_database();
    let server = TestServer::start(&database.pooled_login());
    assert_eq!(server.get("/counting-warriors").text(), r#"{"count":0}"#);
    server.post(&warrior("n")).json(201);
    assert_eq!(server.count(), 1);
    let mut owner = database.owner();
    insert(
        &mut owner,
        "insert into warrior (name, dob, fight_skills)
         select 'n', '2000-01-01', array['s'] from generate_series(1, 1000)",
    );
    assert_eq!(server.count(), 1001);
    insert(
        &mut owner,
        "delete from warrior where ctid = any (array(select ctid from warrior limit 10))",
    );
    assert_eq!(server.count(), 991);
    insert(
        &mut owner,
        "begin; insert into warrior (name, dob, fight_skills) values ('n', '2000-01-01', '{s}');
         rollback",
    );
    assert_eq!(server.count(), 991);
    insert(&mut owner, "truncate warrior");
    assert_eq!(server.count(), 0);
    server.post(&warrior("n")).json(201);
    assert_eq!(server.count(), 1);
}

fn head_is_get_without_the_body(store: &Stored) {
    let server = store.server();
    let location = server.post(&warrior("n")).location().to_owned();
    let unknown = format!("/warrior/{}", Uuid::nil());
    let targets = [
        location.as_str(),
        "/warrior?t=n",
        "/counting-warriors",
        "/health",
        "/openapi.json",
        "/warrior",
        unknown.as_str(),
    ];
    for target in targets {
        let get = server.get(target);
        let mut wire = server.wire();
        wire.send(format!(
            "HEAD {target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
        ));
        let head = wire.answer_to_head();
        wire.assert_closed();
        assert_eq!(head.status, get.status, "{target}");
        for name in ["content-type", "content-length"] {
            assert!(get.header(name).is_some(), "{target} {name}");
            assert_eq!(head.header(name), get.header(name), "{target} {name}");
        }
    }
}

#[test]
fn health_and_openapi_need_no_database() {
    let mut nowhere = fresh_database().pooled_login();
    nowhere.port = 1;
    let server = TestServer::start(&nowhere);
    assert_eq!(server.get("/health").text(), r#"{"status":"ok"}"#);
    let document = server.get("/openapi.json").json(200);
    assert_eq!(document["openapi"], "3.1.0");
    for (method, target, allow) in [
        ("POST", "/health", "GET, HEAD"),
        ("DELETE", "/warrior", "GET, HEAD, POST"),
        ("PUT", "/warrior/x", "GET, HEAD"),
        ("OPTIONS", "/counting-warriors", "GET, HEAD"),
        ("TRACE", "/openapi.json", "GET, HEAD"),
        ("PATCH", "/warrior", "GET, HEAD, POST"),
    ] {
        let answer = request(server.public, method, target, &[], b"");
        answer.problem(405, "method-not-allowed");
        assert_eq!(answer.header("allow"), Some(allow));
    }
}

/// A warrior of this name.
pub(crate) fn warrior(name: &str) -> Value {
    json!({"name": name, "dob": "2000-01-01", "fight_skills": ["xyz"]})
}

/// Executes statements of the test's own.
pub(crate) fn insert(client: &mut postgres::Client, sql: &str) {
    client.batch_execute(sql).expect("the test's own SQL");
}

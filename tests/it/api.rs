//! The contract of the API, over HTTP, the real pooler and the real database.

mod search;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::http::request;
use crate::server::TestServer;
use crate::support::{empty_database, fresh_database};

#[test]
fn a_created_warrior_is_read_back_byte_for_byte() {
    let database = fresh_database();
    let server = TestServer::start(&database.pooled_login());
    let awkward = awkward_texts();
    for (i, text) in awkward.iter().enumerate() {
        // Every text also stands among other skills, in both orders.
        let skills = [text, &awkward[(i + 1) % awkward.len()], "a", text];
        let fields = format!(
            r#""name":{},"dob":"2000-02-29","fight_skills":{}"#,
            json!(text),
            json!(skills)
        );
        let created = server.post_bytes(&[], format!("{{{fields}}}").as_bytes());
        let location = created.location().to_owned();
        let id = location.strip_prefix("/warrior/").unwrap();
        assert_eq!(Uuid::parse_str(id).unwrap().to_string(), id);
        assert_eq!(created.text(), format!(r#"{{"id":"{id}",{fields}}}"#));
        assert_eq!(created.header("content-type"), Some("application/json"));

        let found = server.get(&location);
        assert_eq!(found.status, 200);
        let created_at = &found.json(200)["created_at"];
        assert_is_rfc3339(created_at.as_str().unwrap());
        let expected = format!(r#"{{"id":"{id}",{fields},"created_at":{created_at}}}"#);
        assert_eq!(found.text(), expected);
        let upper = server.get(&format!("/warrior/{}", id.to_uppercase()));
        assert_eq!(upper.text(), expected);
    }
    assert_eq!(server.count(), awkward.len() as i64);
}

#[test]
fn the_limits_themselves_are_stored() {
    let database = fresh_database();
    let server = TestServer::start(&database.pooled_login());
    for dob in ["0001-01-01", "1582-10-10", "2000-02-29", "9999-12-31"] {
        let warrior = json!({
            "name": "\u{1F409}".repeat(100),
            "dob": dob,
            "fight_skills": vec!["\u{10FFFF}".repeat(250); 20],
        });
        let created = server.post(&warrior);
        let found = server.get(created.location()).json(200);
        for field in ["name", "dob", "fight_skills"] {
            assert_eq!(found[field], warrior[field], "{dob}");
        }
    }
}

#[test]
fn an_unknown_or_odd_id_is_404() {
    let database = fresh_database();
    let server = TestServer::start(&database.pooled_login());
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
fn every_wrong_field_is_named_and_nothing_is_stored() {
    let database = fresh_database();
    let server = TestServer::start(&database.pooled_login());
    let long = json!({
        "name": "n".repeat(101),
        "dob": "2023-02-29",
        "fight_skills": ["\u{1F409}".repeat(251)],
    });
    let all = ["name", "dob", "fight_skills"];
    let cases: [(Value, &[&str]); 11] = [
        (json!({}), &all),
        (
            json!({"name": null, "dob": null, "fight_skills": null}),
            &all,
        ),
        (json!({"name": "", "dob": "", "fight_skills": []}), &all),
        (json!({"name": 1, "dob": 2, "fight_skills": "boxing"}), &all),
        (long, &all),
        (
            json!({"name": "a\0", "dob": "today", "fight_skills": ["b\0"]}),
            &all,
        ),
        (with("dob", json!("infinity")), &["dob"]),
        (with("dob", json!("10000-01-02")), &["dob"]),
        (
            with("fight_skills", json!(vec!["s"; 21])),
            &["fight_skills"],
        ),
        (with("fight_skills", json!(["s", null])), &["fight_skills"]),
        (with("name", json!(["n"])), &["name"]),
    ];
    for (body, fields) in cases {
        let problem = server.post(&body).problem(422, "invalid-warrior");
        let errors = problem["errors"].as_array().unwrap();
        let named: Vec<_> = errors
            .iter()
            .map(|e| e["field"].as_str().unwrap())
            .collect();
        assert_eq!(named, fields, "{body}");
        assert!(
            errors
                .iter()
                .all(|e| !e["detail"].as_str().unwrap().is_empty())
        );
    }
    assert_eq!(server.count(), 0);
}

#[test]
fn what_is_no_json_object_is_400_and_not_stored() {
    let database = fresh_database();
    let server = TestServer::start(&database.pooled_login());
    let valid = warrior("n").to_string();
    let deep = format!("{{\"x\":{}", "[".repeat(60_000));
    let bodies: [&[u8]; 17] = [
        b"",
        b" ",
        b"null",
        b"[]",
        b"\"warrior\"",
        b"{",
        b"{\"name\":NaN}",
        b"{/* no comments */}",
        deep.as_bytes(),
        &[valid.as_bytes(), valid.as_bytes()].concat(),
        &[b"\xEF\xBB\xBF", valid.as_bytes()].concat(),
        &replaced(&valid, "\"n\"", b"\"\xFF\""),
        &replaced(&valid, "\"n\"", b"\"\0\""),
        &replaced(&valid, "\"n\"", b"\"\\ud800\""),
        &replaced(&valid, "\"n\"", b"1e400"),
        &replaced(&valid, "}", b",\"x\":\"\\udc00\"}"),
        &replaced(&valid, "}", b",\"name\":\"m\"}"),
    ];
    for body in bodies {
        let answer = server.post_bytes(&[], body);
        assert_eq!(answer.status, 400, "{}", String::from_utf8_lossy(body));
        answer.problem(400, "malformed-body");
    }
    server
        .post_bytes(&[("Content-Encoding", "gzip")], valid.as_bytes())
        .problem(415, "unsupported-encoding");
    assert_eq!(server.count(), 0);

    // Neither an unknown key nor another content type is a reason to refuse a warrior.
    let more = replaced(&valid, "}", b",\"id\":\"x\",\"created_at\":-0}");
    let headers = [("Content-Type", "text/plain"), ("Accept", "text/xml")];
    server.post_bytes(&headers, &more).json(201);
    assert_eq!(server.count(), 1);
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

#[test]
fn head_is_get_without_the_body() {
    let database = fresh_database();
    let server = TestServer::start(&database.pooled_login());
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
        ("BREW", "/warrior", "GET, HEAD, POST"),
    ] {
        let answer = request(server.public, method, target, &[], b"");
        answer.problem(405, "method-not-allowed");
        assert_eq!(answer.header("allow"), Some(allow));
    }
}

#[test]
fn rows_that_came_in_by_other_ways_are_served_as_they_are() {
    let database = empty_database();
    let mut owner = database.owner();
    // The table of those who used the API before; created_at allows NULL.
    insert(&mut owner, include_str!("api/adopted.sql"));
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

/// A warrior of this name.
pub(crate) fn warrior(name: &str) -> Value {
    json!({"name": name, "dob": "2000-01-01", "fight_skills": ["xyz"]})
}

/// Executes statements of the test's own.
pub(crate) fn insert(client: &mut postgres::Client, sql: &str) {
    client.batch_execute(sql).expect("the test's own SQL");
}

fn with(field: &str, value: Value) -> Value {
    let mut warrior = warrior("n");
    warrior[field] = value;
    warrior
}

fn replaced(text: &str, from: &str, to: &[u8]) -> Vec<u8> {
    let (before, after) = text.rsplit_once(from).unwrap();
    [before.as_bytes(), to, after.as_bytes()].concat()
}

/// Texts that array literals, JSON, SQL or Unicode would trip over.
fn awkward_texts() -> Vec<String> {
    let texts = [
        "O'Brien",
        r#"say "hi""#,
        r"back\slash\\",
        r#"\""#,
        "{curly}",
        "{",
        "}",
        "NULL",
        "null",
        "a,b",
        ",",
        " ",
        "   ",
        " padded ",
        "line\nbreak\r\n",
        "\ttab",
        "\u{1}\u{1f}\u{7f}\u{80}",
        "مرحبا بالعالم",
        "\u{202e}turned",
        "e\u{301}",
        "\u{e9}",
        "z\u{351}\u{36b}\u{343}algo",
        "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}",
        "\u{feff}bom",
        "\u{fffd}\u{ffff}\u{10ffff}",
        "$1 %s ${x} %00",
        "<b>&amp;</b>",
        "'; drop table warrior; --",
        "\\N",
        "\\.",
    ];
    texts.map(str::to_owned).to_vec()
}

fn assert_is_rfc3339(text: &str) {
    let (seconds, rest) = text.split_at(19);
    let pattern: String = seconds
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    assert_eq!(pattern, "0000-00-00T00:00:00", "{text}");
    let fraction = rest.strip_suffix('Z').expect("UTC");
    let digits = fraction.strip_prefix('.').unwrap_or("0");
    assert!(digits.bytes().all(|b| b.is_ascii_digit()), "{text}");
}

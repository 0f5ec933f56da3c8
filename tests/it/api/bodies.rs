//! Bodies that are refused: what is said of them, and that nothing is stored.

use serde_json::{Value, json};

use super::warrior;
use crate::stores::{Stored, on_every_store};

on_every_store!(
    every_wrong_field_is_named_and_nothing_is_stored,
    what_is_no_json_object_is_400_and_not_stored,
);

fn every_wrong_field_is_named_and_nothing_is_stored(store: &Stored) {
    let server = store.server();
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
    // A number of any size is JSON, and no name.
    let huge = replaced(&warrior("n").to_string(), "\"n\"", b"1e400");
    let problem = server
        .post_bytes(&[], &huge)
        .problem(422, "invalid-warrior");
    assert_eq!(problem["errors"][0]["field"], "name");
    assert_eq!(server.count(), 0);
}

fn what_is_no_json_object_is_400_and_not_stored(store: &Stored) {
    let server = store.server();
    let valid = warrior("n").to_string();
    let deep = format!("{{\"x\":{}", "[".repeat(60_000));
    let bodies: [&[u8]; 18] = [
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
        &replaced(&valid, "}", b",\"x\":\"\\udc00\"}"),
        &replaced(&valid, "}", b",\"name\":\"m\"}"),
        &replaced(&valid, "}", b",\"x\":[{\"a\":1,\"a\":2}]}"),
        &replaced(&valid, "}", b",\"x\":1e}"),
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
    let more = replaced(
        &valid,
        "}",
        b",\"id\":\"x\",\"created_at\":-1e400,\"x\":{\"name\":[1e999,\"1e999\"]}}",
    );
    let headers = [("Content-Type", "text/plain"), ("Accept", "text/xml")];
    server.post_bytes(&headers, &more).json(201);
    assert_eq!(server.count(), 1);
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

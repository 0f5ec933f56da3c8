//! Requests from methods, targets, headers and bodies.

use super::*;

#[test]
fn paths_are_taken_as_they_are() {
    for target in [
        "/",
        "/warrior/",
        "//warrior",
        "/warrior/a/b",
        "/Warrior",
        "/warriors",
        "/%77arrior",
        "/warrior%2Fx",
        "/live",
        "/ready",
        "/metrics",
        "/counting-warriors/",
    ] {
        assert_eq!(status(get(target)), 404, "{target}");
        // A metric's label, so no path of a client's own may become one.
        assert_eq!(
            Route::of(&head("GET", target, &[])),
            Route::None,
            "{target}"
        );
    }
    assert_eq!(status(get("http://elsewhere/counting-warriors")), 200);
}

#[test]
fn wrong_methods_are_told_the_right_ones() {
    let allow = |method, target| match route(&head(method, target, &[]), BODY) {
        Err(problem @ Problem::MethodNotAllowed(_)) => problem.response().headers()["allow"]
            .to_str()
            .unwrap()
            .to_owned(),
        other => panic!("{method} {target}: {other:?}"),
    };
    assert_eq!(allow("DELETE", "/warrior"), "GET, HEAD, POST");
    assert_eq!(
        allow("POST", "/warrior/00000000-0000-0000-0000-000000000000"),
        "GET, HEAD"
    );
    assert_eq!(allow("POST", "/health"), "GET, HEAD");
    assert_eq!(allow("QUERY", "/health"), "GET, HEAD");
    assert_eq!(
        route(&head("HEAD", "/counting-warriors", &[]), b""),
        Ok(Request::Count)
    );
    for (method, target) in [("BREW", "/warrior"), ("get", "/health"), ("PROPFIND", "/")] {
        assert_eq!(
            status(route(&head(method, target, &[]), b"")),
            501,
            "{method}"
        );
    }
}

#[test]
fn an_id_has_one_form() {
    let id = Uuid::from_u128(0x0123_4567_89ab_7def_8123_4567_89ab_cdef);
    let known = id.to_string();
    assert_eq!(
        get(&format!("/warrior/{known}")),
        Ok(Request::Find(Some(id)))
    );
    assert_eq!(
        get(&format!("/warrior/{}", known.to_uppercase())),
        Ok(Request::Find(Some(id)))
    );
    let others = [
        id.simple().to_string(),
        id.urn().to_string(),
        format!("{known}0"),
        known[1..].to_owned(),
        "%00".to_owned(),
        "x".repeat(36),
    ];
    for other in others {
        assert_eq!(
            get(&format!("/warrior/{other}")),
            Ok(Request::Find(None)),
            "{other}"
        );
    }
}

#[test]
fn terms_are_decoded_once_and_strictly() {
    let term = |query: &str| get(&format!("/warrior?{query}"));
    let found = |text: &str| Ok(Request::Search(Some(text.to_owned())));
    assert_eq!(term("t=a+b%20c"), found("a b c"));
    assert_eq!(term("t=%25%5F%5c"), found(r"%_\"));
    assert_eq!(term("t=%C3%A9&x=1"), found("é"));
    assert_eq!(term("x=t&t=a=b"), found("a=b"));
    assert_eq!(term("%74=a"), found("a"));
    assert_eq!(term("t=%00"), Ok(Request::Search(None)));
    for query in [
        "", "t", "t=", "x=1", "t=a&t=b", "t=a&t=a", "t=%zz", "t=%f", "t=%", "t=%ff",
    ] {
        assert_eq!(status(term(query)), 400, "{query}");
    }
    assert_eq!(status(get("/warrior")), 400);
}

#[test]
fn keys_are_16_to_255_visible_characters() {
    let with = |key: &str| post(&[("idempotency-key", key)], BODY);
    for key in ["0123456789abcdef", &"~".repeat(255)] {
        match with(key) {
            Ok(Request::Create(create)) => assert_eq!(create.key.as_deref(), Some(key)),
            other => panic!("{key}: {other:?}"),
        }
    }
    for key in ["", "short", "0123456789 abcdef", &"x".repeat(256)] {
        assert_eq!(status(with(key)), 400, "{key}");
    }
    let twice = [
        ("idempotency-key", "0123456789abcdef"),
        ("idempotency-key", "0123456789abcdef"),
    ];
    assert_eq!(status(post(&twice, BODY)), 400);
}

#[test]
fn bodies_are_json_whatever_they_are_called() {
    assert!(post(&[], BODY).is_ok());
    assert!(
        post(
            &[("content-type", "text/plain"), ("accept", "text/xml")],
            BODY
        )
        .is_ok()
    );
    for (coding, expected) in [
        ("gzip", 415),
        ("identity, gzip", 415),
        ("", 200),
        ("Identity", 200),
        (" identity ,,identity", 200),
    ] {
        let coded = post(&[("content-encoding", coding)], BODY);
        assert_eq!(status(coded), expected, "{coding}");
    }
    let twice = [("content-encoding", "identity"), ("content-encoding", "br")];
    let refused = post(&twice, BODY).unwrap_err().response();
    assert_eq!(refused.status(), 415);
    assert_eq!(refused.headers()["accept-encoding"], "identity");
    assert_eq!(status(post(&[], b"[]")), 400);
    assert_eq!(status(post(&[], b"{}")), 422);
}

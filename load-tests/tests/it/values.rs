//! Values of fields on the wire: in a path, a query, a header and a body, and rows that fit none of them.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::recorder::Recorder;
use crate::scratch::Scratch;

const WILD: [&str; 4] = ["x&t=y", "100%", "a/b?c=1#d", "O\"Brien\\\nb \u{e9}+"];

/// A fields file of these values of `n`.
fn fields_file(scratch: &Scratch, values: &[&str]) {
    let line = |value: &&str| serde_json::json!({ "n": value }).to_string() + "\n";
    let text: String = values.iter().map(line).collect();
    std::fs::write(scratch.0.join("rows.jsonl"), text).expect("written");
}

fn profile(scratch: &Scratch, request: &str) -> String {
    scratch.profile(&format!(
        "name='values'\n[[scenario]]\nname='post'\nmethod='POST'\nfields_file='rows.jsonl'\n{request}\n\
         arrivals=[{{rate=20,for='1s'}}]\n"
    ))
}

#[test]
fn every_value_arrives_as_it_was() {
    let server = Recorder::start();
    let scratch = Scratch::new();
    fields_file(&scratch, &WILD);
    let profile = profile(
        &scratch,
        "path='/w/{{n}}?t={{n}}&u={{letters 9 9}}'\nbody='{\"in\":\"<{{n}}>\",\"as\":{{n}}}'\n\
         headers={Content-Type='application/json',X-Id='a-{{uuid}}'}",
    );
    let (code, text) = scratch.load(&["run", "--url", &server.url, "--profile", &profile]);
    assert_eq!(code, 0, "{text}");
    let requests = server.requests();
    assert_eq!(requests.len(), 20);
    for wild in WILD {
        let of_this_row = requests.iter().filter(|request| {
            let (_, body) = request.split_once("\r\n\r\n").expect("a head");
            let body: Value = serde_json::from_str(body).expect(body);
            body["in"] == format!("<{wild}>") && body["as"] == wild
        });
        let of_this_row: Vec<_> = of_this_row.collect();
        assert_eq!(of_this_row.len(), 5, "{wild}");
        for request in of_this_row {
            let target = request.split(' ').nth(1).expect("a request line");
            let (path, query) = target.split_once('?').expect("a query");
            let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
            assert_eq!(decoded(path.strip_prefix("/w/").expect("the path")), wild);
            let parts: Vec<&str> = query.split('&').collect();
            assert_eq!(parts.len(), 2, "{query}");
            assert_eq!(decoded(parts[0]), format!("t={wild}"));
            let id = request
                .lines()
                .find_map(|line| line.strip_prefix("x-id: a-"));
            let id = id.expect("the header");
            assert!(id.parse::<uuid::Uuid>().is_ok(), "{id}");
        }
    }
}

#[test]
fn a_row_that_makes_no_request_is_named_before_the_first() {
    let server = Recorder::start();
    for (request, words) in [
        ("path='/w?t={{raw n}}'", "line 3"),
        ("headers={X='{{n}}'}", "header `x`"),
    ] {
        let scratch = Scratch::new();
        fields_file(&scratch, &["a", "b", "c d\n"]);
        let profile = profile(&scratch, request);
        let (code, text) = scratch.load(&["run", "--url", &server.url, "--profile", &profile]);
        assert_eq!(code, 1, "{text}");
        let named = text.contains(words) && text.contains("rows.jsonl line 3");
        assert!(named, "{words} in {text}");
    }
    let scratch = Scratch::new();
    fields_file(&scratch, &["a"]);
    let unused = profile(&scratch, "path='/w'");
    let (code, text) = scratch.load(&["run", "--url", &server.url, "--profile", &unused]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("rows.jsonl has no effect"), "{text}");
    assert!(server.requests().is_empty());
}

#[test]
fn files_are_read_where_they_were_and_a_changed_one_is_said() {
    let server = Recorder::start();
    let (first, second) = (Scratch::new(), Scratch::new());
    fields_file(&first, &["a"]);
    std::fs::write(first.0.join("body.txt"), "b={{n}}").expect("written");
    let profile = profile(&first, "path='/w'\nbody_file='body.txt'");
    let (code, text) = first.load(&["run", "--url", &server.url, "--profile", &profile]);
    assert_eq!(code, 0, "{text}");
    let result = first.file("json").display().to_string();
    let reproduce = || second.load(&["reproduce", &result]);
    let (_, text) = reproduce();
    assert!(text.contains("20 of 20 as prescribed"), "{text}");
    std::fs::write(first.0.join("body.txt"), "c={{n}}").expect("written");
    let (code, text) = reproduce();
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("body.txt has changed since"), "{text}");
    std::fs::remove_file(first.0.join("rows.jsonl")).expect("ours");
    let (code, text) = reproduce();
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("cannot read the fields file"), "{text}");
}

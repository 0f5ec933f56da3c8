//! A ledger written and read back, and one that cannot be written.

use std::fs::File;
use std::path::PathBuf;

use super::*;

fn whole<'a>(status: u16, location: Option<&'a str>, body: &'a str) -> Answered<'a> {
    Answered::Whole {
        status,
        location,
        body: body.as_bytes(),
    }
}

fn scratch(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("{name}-{}.ledger", uuid::Uuid::new_v4()))
}

#[test]
fn every_answer_is_read_back_as_the_fate_it_means() {
    let path = scratch("fates");
    let header = Header::new("run", "http://127.0.0.1:1", Some(3));
    let ledger = Ledger::create(&path, &header).expect("a fresh file");
    let body = br#"{"name":"A","dob":"2000-01-01","fight_skills":["Judo"]}"#;
    for answered in [
        whole(201, Some("/warrior/1"), "{}"),
        whole(503, None, "{}"),
        whole(504, None, r#"{"id":"9","idempotency_key":"k"}"#),
        whole(504, None, "<html>"),
        whole(422, None, "{}"),
        whole(500, None, "{}"),
        Answered::Cut("reset".to_owned()),
        Answered::Unsent("refused".to_owned()),
        whole(201, None, "{}"),
    ] {
        let number = ledger.sent(body).expect("written");
        ledger.answered(number, &answered).expect("written");
    }
    ledger.sent(body).expect("written");
    ledger.append(br#"{"sent":10,"bo"#).expect("written");
    let (read_header, attempts) = read(&path).expect("a ledger");
    std::fs::remove_file(&path).expect("ours");
    assert_eq!(read_header.count_before, Some(3));
    let fates: Vec<Fate> = attempts
        .iter()
        .map(|attempt| attempt.fate.clone())
        .collect();
    let unknown = |location: Option<&str>| Fate::Unknown {
        location: location.map(str::to_owned),
    };
    assert_eq!(
        fates,
        [
            Fate::Acknowledged {
                location: "/warrior/1".into()
            },
            Fate::Refused,
            unknown(Some("/warrior/9")),
            unknown(None),
            Fate::Rejected { status: 422 },
            unknown(None),
            unknown(None),
            Fate::Unsent,
            Fate::AcknowledgedWithoutLocation,
            unknown(None),
        ]
    );
    assert_eq!(
        attempts[0]
            .warrior
            .as_ref()
            .map(|warrior| warrior.name.as_str()),
        Some("A")
    );
}

#[test]
fn nothing_follows_half_a_line() {
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    use std::io::Read;
    use std::os::fd::OwnedFd;
    // A pipe that does not block is a disk that is full until there is room again.
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).expect("ours");
    let ledger = Ledger {
        file: File::from(OwnedFd::from(writer)),
        ..Ledger::full()
    };
    let most = 1 << 22;
    ledger
        .sent(&vec![b'1'; most])
        .expect_err("a pipe holds less");
    let held = reader.read(&mut vec![0; most]).expect("what went in");
    assert!(held > 0);
    ledger
        .sent(b"{}")
        .expect_err("it would stand behind half a line");
}

#[test]
fn the_databases_clock_goes_before_a_guess() {
    let read = |clock: &str| {
        let text = format!(
            r#"{{"ledger":1,"run":"r","target":"t","started_at":100,"count_before":null{clock}}}"#
        );
        serde_json::from_str::<Header>(&text)
            .expect("a header")
            .since()
    };
    assert_eq!(read(r#","database_clock":99.5"#), 99.5);
    assert_eq!(read(""), 95.0);
}

#[test]
fn an_existing_ledger_is_never_overwritten() {
    let path = scratch("kept");
    let header = Header::new("run", "http://127.0.0.1:1", None);
    Ledger::create(&path, &header).expect("a fresh file");
    let error = Ledger::create(&path, &header).expect_err("it is there");
    std::fs::remove_file(&path).expect("ours");
    assert!(format!("{error:#}").contains("exists"), "{error:#}");
}

#[test]
fn a_damaged_ledger_is_named_with_its_line() {
    let header =
        br#"{"ledger":1,"run":"r","target":"http://h","started_at":1,"count_before":null}"#;
    let sent = br#"{"sent":0,"body":{}}"#;
    let answer = br#"{"answer":0,"status":201,"location":"/warrior/1"}"#;
    let says = |lines: &[&[u8]]| {
        let path = scratch("damaged");
        let text: Vec<u8> = lines
            .iter()
            .flat_map(|line| [line, &b"\n"[..]].concat())
            .collect();
        std::fs::write(&path, text).expect("written");
        let error = read(&path).expect_err("damaged");
        std::fs::remove_file(&path).expect("ours");
        format!("{error:#}")
    };
    for (line, words) in [
        (&sent[..], "request 0 is sent twice"),
        (br#"{"answer":7,"status":201}"#, "answers request 7"),
        (br#"{"sent":1,"body":{}"#, "not a line of a ledger"),
        (br#"{"sent":-1,"body":{}}"#, "not a line of a ledger"),
        (br#"{"answer":0,"status":99999}"#, "not a line of a ledger"),
        (b"\xff\xfe", "utf-8"),
        (b"", "not a line of a ledger"),
    ] {
        let text = says(&[header, sent, line]);
        assert!(
            text.contains("line 3 is damaged") && text.contains(words),
            "{text}"
        );
    }
    let text = says(&[header, sent, answer, answer]);
    assert!(
        text.contains("line 4") && text.contains("answered twice"),
        "{text}"
    );
    for first in [&b""[..], b"{}", b"[]", b"\xff", sent] {
        assert!(
            says(&[first]).contains("not a ledger's header"),
            "{first:?}"
        );
    }
    // Numbers are no lengths.
    let path = scratch("sparse");
    let far = br#"{"sent":18446744073709551615,"body":{}}"#;
    let text = [header, &b"\n"[..], far, b"\n", sent, b"\n"].concat();
    std::fs::write(&path, text).expect("written");
    let numbers = read(&path).map(|(_, attempts)| {
        attempts
            .iter()
            .map(|attempt| attempt.number)
            .collect::<Vec<_>>()
    });
    std::fs::remove_file(&path).expect("ours");
    assert_eq!(numbers.expect("a ledger"), [0, u64::MAX]);
}

//! The peers beside the server, on one stack: the same requests have the same answers.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use warrior_load::client;
use warrior_load::engine::Answer;
use warrior_load::stack::{Instance, Stack};
use warrior_load::target::Target;
use warrior_load::workload::Prepared;

const PROGRAM: &str = env!("CARGO_BIN_EXE_warrior-peers");

/// A peer that runs while this value lives.
struct Peer {
    child: Child,
    target: Target,
}

impl Peer {
    fn start(stack: &Stack, through: Instance, arguments: &[&str]) -> Peer {
        let access = stack.runtime(through);
        let mut child = Command::new(PROGRAM)
            .arg(arguments[0])
            .args(["--database", &access.connection, "--password-file"])
            .arg(access.password_file.expect("a role with a password"))
            .args(&arguments[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("piped");
        BufReader::new(output).read_line(&mut line).expect("text");
        let target = Target::parse(&format!("http://{}", line.trim())).expect("its address");
        Peer { child, target }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// All peers; the guide's search last.
fn peers(stack: &Stack) -> [Peer; 3] {
    let pooled = |search| ["pooled", "--connections", "4", "--search", search];
    [
        Peer::start(stack, stack.postgres, &pooled("function")),
        Peer::start(stack, stack.pooler, &["grouping", "--workers", "2"]),
        Peer::start(stack, stack.postgres, &pooled("guide")),
    ]
}

fn stack() -> Stack {
    let server = Path::new(PROGRAM).with_file_name("warrior-api");
    assert!(
        server.exists(),
        "{} is missing; `cargo build` makes it (`cargo test --workspace` does, too)",
        server.display()
    );
    Stack::start(&server).expect("a stack")
}

fn create(target: &Target, warrior: &'static str) -> Answer {
    let uri = target.uri("/warrior").expect("a path");
    // Each attempt may be repeated, so the key is one of its own.
    let key: &'static str = uuid::Uuid::new_v4().to_string().leak();
    let request = Prepared::keyed_create(target, uri, key, warrior.as_bytes());
    judged(|| client::send(target, &request).expect("an answer"))
}

/// Asks until the answer is no refusal for want of a connection: on a busy machine logins take their time.
fn judged(ask: impl Fn() -> Answer) -> Answer {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let answer = ask();
        if answer.status != 503 {
            return answer;
        }
        assert!(Instant::now() < deadline, "refused for two minutes");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn get(target: &Target, path: &str) -> (u16, Value) {
    let answer = judged(|| client::get(target, path).expect("an answer"));
    (
        answer.status,
        serde_json::from_slice(&answer.body).unwrap_or(Value::Null),
    )
}

/// A create's answer without what differs from one create to the next.
fn without_id(answer: &Answer) -> (u16, Value) {
    let mut body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    let id = body["id"].take();
    let location = id.as_str().map(|id| format!("/warrior/{id}"));
    assert_eq!(answer.location, location);
    (answer.status, body)
}

const WARRIORS: [&str; 3] = [
    r#"{"name":"Žižka \"One Eye\" 50 %","dob":"1360-02-29","fight_skills":["Flail","a,b {\\}","NULL"]}"#,
    r#"{"name":"Ana","dob":"1990-01-31","fight_skills":["judo","judo","bo staff"],"more":1}"#,
    r#"{"name":" ","dob":"0001-01-01","fight_skills":["薙刀術"]}"#,
];

#[test]
fn the_answers_of_peers_are_those_of_the_server() {
    let stack = stack();
    let peers = peers(&stack);
    what_is_refused_is_refused_by_all(&stack, &peers);
    searches_find_the_same(&stack, &peers);
    creates_are_answered_and_stored_alike(&stack, &peers);
}

fn creates_are_answered_and_stored_alike(stack: &Stack, peers: &[Peer]) {
    for peer in peers {
        for warrior in WARRIORS {
            let theirs = create(&peer.target, warrior);
            let ours = create(&stack.api, warrior);
            assert_eq!(without_id(&theirs), without_id(&ours));
            let path = theirs.location.expect("a path");
            let (status, mut stored) = get(&stack.api, &path);
            assert_eq!(
                (status, &stored["name"]),
                (200, &without_id(&ours).1["name"])
            );
            let (status, mut found) = get(&peer.target, &path);
            // The same moment may be written with more or fewer zeros.
            let moment = |row: &mut Value| {
                let text = row["created_at"].take();
                let text = text.as_str().expect("a time").to_owned();
                chrono::DateTime::parse_from_rfc3339(&text).expect("RFC 3339")
            };
            assert_eq!(moment(&mut found), moment(&mut stored));
            assert_eq!((status, found), (200, stored));
        }
        assert_eq!(
            get(&peer.target, "/counting-warriors"),
            get(&stack.api, "/counting-warriors")
        );
    }
}

/// In a table without rows, since the guide leaves the order of equal names open.
fn searches_find_the_same(stack: &Stack, peers: &[Peer]) {
    for warrior in WARRIORS {
        create(&stack.api, warrior);
    }
    let terms = [
        "ana",
        "%C5%BD",
        "1990",
        "JUDO",
        "bo+staff",
        "nobody",
        "a%2Cb",
        "%E8%96%99",
    ];
    for peer in peers {
        for term in terms {
            let path = format!("/warrior?t={term}");
            let (status, found) = get(&peer.target, &path);
            assert_eq!((status, &found), (200, &get(&stack.api, &path).1), "{term}");
            assert!(found.is_array(), "{term}: {found}");
        }
    }
    // One row is there for each term but one, so the comparison was not one of empty lists.
    let (_, found) = get(&stack.api, "/warrior?t=JUDO");
    assert_eq!(found.as_array().map(Vec::len), Some(1));
}

fn what_is_refused_is_refused_by_all(stack: &Stack, peers: &[Peer]) {
    let bodies: [&'static str; 7] = [
        "{",
        r#"{"name":"","dob":"1990-01-31","fight_skills":["a"]}"#,
        r#"{"name":"A","dob":"1990-1-31","fight_skills":["a"]}"#,
        r#"{"name":"A","dob":"1990-02-30","fight_skills":["a"]}"#,
        r#"{"name":"A","dob":"1990-01-31","fight_skills":[]}"#,
        r#"{"name":"A","dob":"1990-01-31","fight_skills":[1]}"#,
        r#"{"name":"A","dob":"1990-01-31"}"#,
    ];
    let paths = [
        "/warrior",
        "/warrior?t=",
        "/warrior/00000000-0000-7000-8000-000000000000",
        "/warrior/1",
    ];
    for peer in peers {
        for body in bodies {
            let status = |target| create(target, body).status;
            assert_eq!(status(&peer.target), status(&stack.api), "{body}");
        }
        for path in paths {
            assert_eq!(get(&peer.target, path).0, get(&stack.api, path).0, "{path}");
        }
        let count = json!({"count": 0});
        assert_eq!(get(&peer.target, "/counting-warriors"), (200, count));
    }
}

//! Every exit code, shown by the program itself.

mod support;

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use support::contract::{Contract, Faults};
use support::{Behaviour, Server};
use warrior_load::control::Cluster;

const CREATES: &str = "name = 'creates'\nthresholds = ['success == 100%', 'lost == 0']\n\
                       [[scenario]]\nname = 'create'\nrequest = 'create'\n\
                       arrivals = [{ rate = 100, for = '2s' }]\n\
                       follow = { name = 'find', after_min = '1ms', after_max = '30ms' }\n";

/// Without a threshold on success, so that the ledger alone decides.
const CREATES_ALONE: &str = "name = 'creates'\nthresholds = ['lost == 0']\n\
                             [[scenario]]\nname = 'create'\nrequest = 'create'\n\
                             arrivals = [{ rate = 100, for = '1s' }]\n";

/// Blocks of 512 or 1024 bytes that hold the ledger of ten creates, and not the page of a result.
const FITS_A_LEDGER: u32 = 12;

const PROGRAM: &str = env!("CARGO_BIN_EXE_warrior-load");

/// A directory that is removed at the end of the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Scratch {
        let path = std::env::temp_dir().join(format!("warrior-load-test-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&path).expect("a fresh directory");
        Scratch(path)
    }

    fn profile(&self, text: &str) -> String {
        let path = self.0.join("profile.toml");
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    }

    fn file(&self, extension: &str) -> PathBuf {
        let mut found = std::fs::read_dir(&self.0)
            .expect("ours")
            .flatten()
            .map(|entry| entry.path());
        found
            .find(|path| path.extension().is_some_and(|ext| ext == extension))
            .expect(extension)
    }

    /// Checks that what is here is whole: pages end, JSON is JSON, and nothing was left aside.
    fn assert_whole(&self) {
        for path in std::fs::read_dir(&self.0).expect("ours").flatten() {
            let path = path.path();
            let text = std::fs::read_to_string(&path).expect("text");
            let whole = match path.extension().and_then(|end| end.to_str()) {
                Some("json") => serde_json::from_str::<serde_json::Value>(&text).is_ok(),
                Some("html") => text.trim_end().ends_with("</html>"),
                Some("md") => text.ends_with('\n'),
                Some("ledger" | "toml") => true,
                _ => false,
            };
            assert!(whole, "{} is left: {text:?}", path.display());
        }
    }

    /// Runs the program with its results here. The tests share a machine with each other and
    /// with whatever else runs: how late the generator is shall not decide them.
    fn load(&self, arguments: &[&str]) -> (i32, String) {
        self.run(&mut Command::new(PROGRAM), arguments)
    }

    /// The same where no file grows beyond so many blocks, as on a disk that is full.
    fn load_on_a_full_disk(&self, blocks: u32, arguments: &[&str]) -> (i32, String) {
        let limit = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        self.run(Command::new("sh").args(["-c", &limit, PROGRAM]), arguments)
    }

    fn run(&self, program: &mut Command, arguments: &[&str]) -> (i32, String) {
        let out = self.0.display().to_string();
        let Output {
            status,
            stdout,
            stderr,
        } = program
            .args(arguments)
            .args(match arguments[0] {
                "verify" => vec![],
                _ => vec!["--out", &out, "--lateness-max", "1s"],
            })
            .env("NO_COLOR", "1")
            .output()
            .expect("the program runs");
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&stdout),
            String::from_utf8_lossy(&stderr)
        );
        (status.code().expect("it ended by itself"), text)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

#[test]
fn a_kept_contract_passes_and_its_ledger_verifies_again() {
    let (scratch, server) = (Scratch::new(), Contract::start(Faults::default()));
    let profile = scratch.profile(CREATES);
    let (code, text) = scratch.load(&["run", "--url", &server.url(), "--profile", &profile]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("lost 0 of "), "{text}");
    let ledger = scratch.file("ledger").display().to_string();
    let (code, text) = scratch.load(&["verify", &ledger]);
    assert_eq!(code, 0, "{text}");
    let html = std::fs::read_to_string(scratch.file("html")).expect("a report");
    for outside in ["http-equiv", "src=", "@import", "<script", "url("] {
        assert!(
            !html.contains(outside),
            "the report reaches outside: {outside}"
        );
    }
}

#[test]
fn wrong_use_is_1_and_names_what_is_wrong() {
    let scratch = Scratch::new();
    let profile = scratch.profile("name='x'\nthresholds=['p99x < 1s']\nscenario=[]");
    for (arguments, word) in [
        (
            vec!["run", "--url", "http://127.0.0.1:1", "--profile", "labb"],
            "labb",
        ),
        (
            vec!["run", "--url", "http://127.0.0.1:1", "--profile", &profile],
            "p99x",
        ),
        (vec!["run", "--url", "http://127.0.0.1:1"], "--rate"),
        (
            vec!["run", "--url", "http://127.0.0.1:1", "--rate", "1e12"],
            "requests",
        ),
        (
            vec![
                "run",
                "--url",
                "http://127.0.0.1:1",
                "--rate",
                "1",
                "--speed",
                "1e-300",
            ],
            "--speed",
        ),
        (
            vec!["compare", "--a", "http://127.0.0.1:1", "--decide", "p95"],
            "p95",
        ),
        (
            vec![
                "run",
                "--url",
                "http://127.0.0.1:1",
                "--rate",
                "1",
                "--expect",
                "1000",
            ],
            "status 1000",
        ),
        (
            vec!["run", "--url", "https://127.0.0.1:1", "--rate", "1"],
            "TLS",
        ),
        (
            vec![
                "run",
                "--url",
                "http://127.0.0.1:1",
                "--rate",
                "1",
                "--body",
                "{{nme}}",
            ],
            "nme",
        ),
    ] {
        let (code, text) = scratch.load(&arguments);
        assert_eq!(code, 1, "{text}");
        assert!(text.contains(word), "{word} in {text}");
    }
}

#[test]
fn nobody_there_is_2() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    drop(listener);
    let (code, text) = Scratch::new().load(&["run", "--url", &url, "--rate", "10"]);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("is the server running there?"), "{text}");
}

#[test]
fn a_missed_threshold_is_3_and_says_what_was_measured() {
    let server = Server::start(Behaviour::fixed(Duration::from_millis(5)));
    let arguments = [
        "run",
        "--url",
        &server.url(),
        "--rate",
        "50",
        "--for",
        "1s",
        "--threshold",
        "p50 < 2ms",
    ];
    let (code, text) = Scratch::new().load(&arguments);
    assert_eq!(code, 3, "{text}");
    assert!(
        text.contains("threshold missed: p50 < 2ms (measured"),
        "{text}"
    );
}

#[test]
fn a_run_in_which_nothing_worked_is_3_whatever_its_thresholds() {
    let status = |status| {
        Server::start(Behaviour {
            status: Box::new(move |_| status),
            ..Behaviour::fixed(Duration::ZERO)
        })
        .url()
    };
    for (url, what) in [
        (status(404), "404 not prescribed"),
        (status(503), "503 refused"),
        (status(0), "cut"),
        (tls_port(), "not HTTP"),
    ] {
        for thresholds in [&[][..], &["--threshold", "late >= 0"]] {
            let arguments = ["run", "--url", &url, "--rate", "20", "--for", "1s"];
            let (code, text) = Scratch::new().load(&[&arguments[..], thresholds].concat());
            assert_eq!(code, 3, "{what}: {text}");
            assert!(text.contains("nothing worked"), "{what}: {text}");
            assert!(!text.contains("PASSED"), "{what}: {text}");
        }
    }
}

/// Where TLS is spoken: what is no ClientHello is answered with an alert.
fn tls_port() -> String {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // A client that goes away is no fault of this test.
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"\x15\x03\x01\x00\x02\x02\x46");
        }
    });
    url
}

#[test]
fn a_scenario_of_which_nothing_worked_is_3_and_named() {
    let server = Server::start(Behaviour::fixed(Duration::ZERO));
    let scratch = Scratch::new();
    let profile = scratch.profile(
        "name='two'\nthresholds=['success >= 10%']\n\
         [[scenario]]\nname='good'\npath='/'\narrivals=[{rate=20,for='1s'}]\n\
         [[scenario]]\nname='bad'\npath='/'\nexpect=[201]\narrivals=[{rate=20,for='1s'}]\n",
    );
    let (code, text) = scratch.load(&["run", "--url", &server.url(), "--profile", &profile]);
    assert_eq!(code, 3, "{text}");
    let missed = "threshold missed: bad.success > 0% (measured 0 %)";
    assert!(text.contains(missed), "{text}");
}

#[test]
fn without_thresholds_99_of_100_answers_must_be_right() {
    let every = |n: u64| {
        Server::start(Behaviour {
            status: Box::new(move |number| if number % n == 0 { 500 } else { 200 }),
            ..Behaviour::fixed(Duration::ZERO)
        })
        .url()
    };
    let run =
        |url: &str| Scratch::new().load(&["run", "--url", url, "--rate", "200", "--for", "1s"]);
    let (code, text) = run(&every(50));
    assert_eq!(code, 3, "{text}");
    let missed = "threshold missed: success >= 99% (measured 98 %)";
    assert!(text.contains(missed), "{text}");
    let (code, text) = run(&every(200));
    assert_eq!(code, 0, "{text}");
}

#[test]
fn two_sides_of_which_neither_works_are_not_compared() {
    let refusing = || {
        Server::start(Behaviour {
            status: Box::new(|_| 503),
            ..Behaviour::fixed(Duration::ZERO)
        })
        .url()
    };
    let scratch = Scratch::new();
    let profile = scratch
        .profile("name='get'\n[[scenario]]\nname='get'\npath='/'\narrivals=[{rate=50,for='1s'}]\n");
    let (a, b) = (refusing(), refusing());
    let arguments = ["compare", "--a", &a, "--b", &b, "--profile", &profile];
    let (code, text) = scratch.load(&[&arguments[..], &["--slice", "200ms"]].concat());
    assert_eq!(code, 6, "{text}");
    assert!(text.contains("503 refused"), "{text}");
    assert!(!text.contains("no difference shown"), "{text}");
    assert!(!text.contains("pair  2"), "it goes on: {text}");
}

#[test]
fn a_full_disk_hides_no_verdict() {
    let forgetful = Contract::start(Faults {
        forget_every: Some(1),
        ..Faults::default()
    });
    let honest = Contract::start(Faults::default());
    let few = CREATES_ALONE
        .replace("rate = 100", "rate = 10")
        .replace("'create'\nar", "'create-valid'\nar");
    // The ledger fits, the results do not; then not even the ledger does.
    for (blocks, server, code, verdict) in [
        (FITS_A_LEDGER, &forgetful, 5, "PROMISE BROKEN"),
        (FITS_A_LEDGER, &honest, 1, "lost 0 of "),
        (2, &forgetful, 5, "PROMISE BROKEN"),
        (2, &honest, 6, "cannot write the ledger"),
    ] {
        let scratch = Scratch::new();
        let profile = scratch.profile(&few);
        let url = server.url();
        let arguments = ["run", "--url", &url, "--profile", &profile, "--seed", "1"];
        let (exit, text) = scratch.load_on_a_full_disk(blocks, &arguments);
        assert_eq!(exit, code, "{blocks} blocks: {text}");
        assert!(text.contains(verdict), "{blocks} blocks: {text}");
        assert!(text.contains("cannot write "), "{blocks} blocks: {text}");
        if blocks == 2 {
            assert!(!text.contains("PASSED"), "{text}");
            assert!(text.contains("cannot write the ledger"), "{text}");
        }
        scratch.assert_whole();
    }
    let failing = Server::start(Behaviour {
        status: Box::new(|_| 500),
        ..Behaviour::fixed(Duration::ZERO)
    });
    let working = Server::start(Behaviour::fixed(Duration::ZERO));
    let scratch = Scratch::new();
    let profile = scratch
        .profile("name='get'\n[[scenario]]\nname='get'\npath='/'\narrivals=[{rate=50,for='1s'}]\n");
    let (a, b) = (working.url(), failing.url());
    let arguments = ["compare", "--a", &a, "--b", &b, "--profile", &profile];
    let more = ["--slice", "300ms", "--pairs", "3"];
    let (code, text) = scratch.load_on_a_full_disk(0, &[&arguments[..], &more].concat());
    assert_eq!(code, 4, "{text}");
    assert!(text.contains("Verdict on success: B is worse"), "{text}");
    scratch.assert_whole();
}

#[test]
fn a_slower_b_is_4_and_like_targets_are_0() {
    let quick = Server::start(Behaviour::fixed(Duration::from_millis(2)));
    let slow = Server::start(Behaviour::fixed(Duration::from_millis(20)));
    let scratch = Scratch::new();
    let profile = scratch
        .profile("name='get'\n[[scenario]]\nname='get'\npath='/'\narrivals=[{rate=50,for='1s'}]\n");
    let compare = |b: &Server| {
        let (a, b) = (quick.url(), b.url());
        let arguments = ["compare", "--a", &a, "--b", &b, "--profile", &profile];
        let more = [
            "--slice", "500ms", "--pairs", "4", "--decide", "p50", "--least", "50",
        ];
        scratch.load(&[&arguments[..], &more[..]].concat())
    };
    let (code, text) = compare(&slow);
    assert_eq!(code, 4, "{text}");
    assert!(text.contains("Verdict on p50: B is worse"), "{text}");
    let failing = Server::start(Behaviour {
        status: Box::new(|_| 500),
        ..Behaviour::fixed(Duration::ZERO)
    });
    let (code, text) = compare(&failing);
    assert_eq!(code, 4, "{text}");
    assert!(text.contains("Verdict on success: B is worse"), "{text}");
    let (code, text) = compare(&quick);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("no difference shown"), "{text}");
}

#[test]
fn each_broken_promise_is_5_and_named() {
    for (faults, finding) in [
        (
            Faults {
                forget_every: Some(10),
                ..Faults::default()
            },
            "LOST: request",
        ),
        (
            Faults {
                alter_every: Some(10),
                ..Faults::default()
            },
            "in name",
        ),
        (
            Faults {
                refuse_stored_every: Some(10),
                ..Faults::default()
            },
            "was refused (503) but is row",
        ),
    ] {
        let (scratch, server) = (Scratch::new(), Contract::start(faults));
        let profile = scratch.profile(CREATES);
        let (code, text) = scratch.load(&["run", "--url", &server.url(), "--profile", &profile]);
        assert_eq!(code, 5, "{text}");
        assert!(text.contains("PROMISE BROKEN"), "{text}");
        let (code, text) = scratch.load(&["verify", &scratch.file("ledger").display().to_string()]);
        assert_eq!(code, 5, "{text}");
        assert!(text.contains(finding), "{finding} in {text}");
    }
}

#[test]
fn writes_that_cannot_be_read_back_are_6_and_never_called_kept() {
    let faults = Faults {
        refuse_reads: true,
        ..Faults::default()
    };
    let (scratch, server) = (Scratch::new(), Contract::start(faults));
    let profile = scratch.profile(CREATES_ALONE);
    let (code, text) = scratch.load(&["run", "--url", &server.url(), "--profile", &profile]);
    assert_eq!(code, 6, "{text}");
    assert!(text.contains("could not be read back"), "{text}");
}

#[test]
fn an_unknown_outcome_is_counted_whatever_was_sent_and_answered() {
    let (scratch, server) = (Scratch::new(), Contract::start(Faults::default()));
    let ledger = scratch.0.join("unknown.ledger");
    let lines = [
        &format!(
            r#"{{"ledger":1,"run":"r","target":"{}","started_at":0,"count_before":0}}"#,
            server.url()
        ),
        r#"{"sent":0,"body":{"name":"A","dob":"1990-01-01","fight_skills":null}}"#,
        r#"{"sent":1,"body":{"name":"B","dob":"1990-01-01","fight_skills":["Judo"]}}"#,
        r#"{"answer":1,"status":504,"location":"not a location"}"#,
    ];
    std::fs::write(&ledger, lines.join("\n") + "\n").expect("written");
    let (code, text) = scratch.load(&["verify", &ledger.display().to_string()]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("unknown 2: 0 stored, 2 not"), "{text}");
}

#[test]
fn what_is_committed_while_it_is_judged_breaks_no_promise() {
    let faults = Faults {
        commit_late_every: Some(10),
        ..Faults::default()
    };
    let (scratch, server) = (Scratch::new(), Contract::start(faults));
    let profile = scratch.profile(CREATES_ALONE);
    let (code, text) = scratch.load(&["run", "--url", &server.url(), "--profile", &profile]);
    assert_eq!(code, 0, "{text}");
}

#[test]
fn a_ledger_verifies_by_http_also_after_later_runs() {
    let server = Contract::start(Faults::default());
    let (first, second) = (Scratch::new(), Scratch::new());
    for scratch in [&first, &second] {
        let profile = scratch.profile(CREATES_ALONE);
        let (code, text) = scratch.load(&["run", "--url", &server.url(), "--profile", &profile]);
        assert_eq!(code, 0, "{text}");
    }
    for scratch in [&first, &second] {
        let ledger = scratch.file("ledger").display().to_string();
        let (code, text) = scratch.load(&["verify", &ledger]);
        assert_eq!(code, 0, "{text}");
    }
}

#[test]
fn a_refused_write_is_found_behind_the_same_row_of_an_earlier_run() {
    let row = |id: &str, created_at: &str| {
        serde_json::json!({
            "id": id, "name": "A", "dob": "1990-01-01", "fight_skills": ["Judo"],
            "created_at": created_at,
        })
    };
    let rows = [
        row(
            "00000000-0000-4000-8000-000000000001",
            "2000-01-01T00:00:00Z",
        ),
        row(
            "00000000-0000-4000-8000-000000000002",
            "2024-01-01T00:00:00Z",
        ),
    ];
    let (scratch, server) = (Scratch::new(), Contract::holding(&rows, Faults::default()));
    let ledger = scratch.0.join("refused.ledger");
    let lines = [
        &format!(
            r#"{{"ledger":1,"run":"r","target":"{}","started_at":1700000000,"count_before":1}}"#,
            server.url()
        ),
        r#"{"sent":0,"body":{"name":"A","dob":"1990-01-01","fight_skills":["Judo"]}}"#,
        r#"{"answer":0,"status":503}"#,
    ];
    std::fs::write(&ledger, lines.join("\n") + "\n").expect("written");
    let (code, text) = scratch.load(&["verify", &ledger.display().to_string()]);
    assert_eq!(code, 5, "{text}");
    assert!(
        text.contains("is row 00000000-0000-4000-8000-000000000002"),
        "{text}"
    );
}

#[test]
fn a_ledger_that_cannot_be_verified_is_6_and_leaves_the_result() {
    let faults = Faults {
        count_once: true,
        ..Faults::default()
    };
    let (scratch, server) = (Scratch::new(), Contract::start(faults));
    let profile = scratch.profile(CREATES_ALONE);
    let (code, text) = scratch.load(&["run", "--url", &server.url(), "--profile", &profile]);
    assert_eq!(code, 6, "{text}");
    assert!(text.contains("the ledger could not be verified"), "{text}");
    assert!(scratch.file("json").exists() && scratch.file("html").exists());
}

#[test]
fn a_generator_that_reaches_its_own_limit_is_6() {
    let server = Server::start(Behaviour::fixed(Duration::from_millis(200)));
    let scratch = Scratch::new();
    let profile = scratch.profile(
        "name='narrow'\nconnections_max=2\n[[scenario]]\nname='get'\npath='/'\n\
         arrivals=[{rate=100,for='1s'}]\n",
    );
    let (code, text) = scratch.load(&["run", "--url", &server.url(), "--profile", &profile]);
    assert_eq!(code, 6, "{text}");
    assert!(
        text.contains("INVALID:") && text.contains("connections_max"),
        "{text}"
    );
}

#[test]
fn a_reader_that_goes_away_does_not_end_the_run() {
    let server = Server::start(Behaviour::fixed(Duration::ZERO));
    let scratch = Scratch::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_warrior-load"))
        .args(["run", "--url", &server.url(), "--rate", "20", "--for", "2s"])
        .args(["--no-tui", "--lateness-max", "1s", "--out"])
        .arg(&scratch.0)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the program runs");
    drop(child.stdout.take());
    let status = child.wait().expect("ours");
    assert_eq!(status.code(), Some(0));
    assert!(scratch.file("json").exists());
}

#[test]
fn a_second_interrupt_ends_the_program_at_once() {
    use std::io::{BufRead, BufReader};
    let server = Server::start(Behaviour::fixed(Duration::from_secs(60)));
    let scratch = Scratch::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_warrior-load"))
        .args([
            "run",
            "--url",
            &server.url(),
            "--rate",
            "10",
            "--for",
            "60s",
        ])
        .args(["--no-tui", "--out", &scratch.0.display().to_string()])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut lines = BufReader::new(child.stdout.take().expect("piped"));
    lines
        .read_line(&mut String::new())
        .expect("a second's line");
    let pid = nix::unistd::Pid::from_raw(child.id() as i32);
    // Without a second one the run would wait until its requests time out after ten seconds.
    let deadline = std::time::Instant::now() + Duration::from_secs(8);
    let status = loop {
        if let Some(status) = child.try_wait().expect("ours") {
            break status;
        }
        assert!(std::time::Instant::now() < deadline, "it goes on");
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).expect("it runs");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(status.code(), Some(130));
}

#[test]
fn a_stored_result_is_run_again_with_its_seed() {
    let server = Server::start(Behaviour::fixed(Duration::from_millis(5)));
    let (first, second) = (Scratch::new(), Scratch::new());
    let (code, text) = first.load(&["run", "--url", &server.url(), "--rate", "50", "--for", "4s"]);
    assert_eq!(code, 0, "{text}");
    let result = first.file("json").display().to_string();
    let (code, text) = second.load(&["reproduce", &result]);
    assert_eq!(code, 0, "{text}");
    let alike = ["\nREPRODUCED", "NO DIFFERENCE SHOWN"];
    assert!(alike.iter().any(|said| text.contains(said)), "{text}");
    let slow = Server::start(Behaviour::fixed(Duration::from_millis(30)));
    let (code, text) = second.load(&[
        "reproduce",
        &result,
        "--url",
        slow.url().trim_end_matches('/'),
    ]);
    assert_eq!(code, 3, "{text}");
    assert!(
        text.contains("NOT REPRODUCED") && text.contains("differs: target"),
        "{text}"
    );
}

#[test]
fn a_tampered_table_is_5_and_each_tampered_row_is_named() {
    let server = PathBuf::from(env!("CARGO_BIN_EXE_warrior-load")).with_file_name("warrior-api");
    let cluster = Cluster::create(&server, None).expect("PostgreSQL starts");
    let access = cluster.superuser("postgres");
    let mut client = access.connect().expect("login as superuser");
    let connection = access.connection;
    let password = access
        .password_file
        .expect("the stack keeps passwords in files");
    let password = password.display().to_string();
    client
        .batch_execute(include_str!("tampered/rows.sql"))
        .expect("the table is made and filled");
    let scratch = Scratch::new();
    let ledger = scratch.0.join("of-the-run.ledger");
    std::fs::write(&ledger, include_str!("tampered/run.ledger")).expect("written");
    let ledger = ledger.display().to_string();
    let verify = || {
        scratch.load(&[
            "verify",
            &ledger,
            "--postgres",
            &connection,
            "--postgres-password-file",
            &password,
        ])
    };
    let (code, text) = verify();
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("lost 0 of 3"), "{text}");
    client
        .batch_execute(include_str!("tampered/tamper.sql"))
        .expect("tampered");
    let (code, text) = verify();
    assert_eq!(code, 5, "{text}");
    for finding in [
        "LOST: request 0 was 201, /warrior/00000000-0000-4000-8000-000000000000",
        "row 00000000-0000-4000-8000-000000000001 differs from request 1 in dob",
        "row 00000000-0000-4000-8000-000000000002 differs from request 2 in fight_skills",
        "request 3 was refused (503) but is row",
        "request 4 was rejected (422) but is row",
    ] {
        assert!(text.contains(finding), "{finding} in {text}");
    }
}

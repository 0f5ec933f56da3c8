//! `tune` on a throw-away stack and on a named one, and what it leaves behind.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::contract::{Contract, Faults};
use crate::delay::{Behaviour, DelayServer, delay_server};
use crate::scratch::{PROGRAM, Scratch};

const CREATES: &str = "name='c'\n[[scenario]]\nname='create'\nrequest='create-valid'\narrivals=[{rate=30,for='1s'}]\n\
                       [[scenario]]\nname='find'\nrequest='find'\narrivals=[{rate=30,for='1s'}]\n";

const CREATES_ALONE: &str = "name='c'\n[[scenario]]\nname='create'\nrequest='create-valid'\narrivals=[{rate=30,for='1s'}]\n";

fn server() -> PathBuf {
    let server = Path::new(PROGRAM).with_file_name("warrior-api");
    assert!(
        server.exists(),
        "{} is missing; `cargo build` makes it (`cargo test --workspace` does, too)",
        server.display()
    );
    server
}

fn result(scratch: &Scratch) -> Value {
    let text = std::fs::read_to_string(scratch.file("json")).expect("a result");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn a_throw_away_stack_is_tuned_and_loses_nothing() {
    let scratch = Scratch::new();
    let (server, profile) = (server().display().to_string(), scratch.profile(CREATES));
    let env = scratch.0.join("none.env").display().to_string();
    let arguments = [
        "tune",
        "--server",
        &server,
        "--profile",
        &profile,
        "--env",
        &env,
        "--rate",
        "100",
        "--step",
        "200ms",
        "--budget",
        "20s",
    ];
    let (code, text) = scratch.load(&arguments);
    // How far a search comes in so little time, and whether the machine is busy, is not the point.
    assert!([0, 6].contains(&code), "{text}");
    let result = result(&scratch);
    assert_eq!(result["verification"]["lost"], 0, "{text}");
    assert!(
        result["verification"]["acknowledged"].as_u64() > Some(0),
        "{text}"
    );
    assert_eq!(result["verification"]["way"], "postgres");
    let samples = result["samples"].as_array().expect("samples");
    assert!(samples.len() > 3, "{text}");
    // Others than the first were tried, and the server counted what was sent to it.
    assert!(
        samples
            .iter()
            .any(|sample| sample["sizes"] != result["current"])
    );
    let lanes = samples[0]["trial"]["telemetry"]["lanes"]
        .as_array()
        .expect("lanes");
    let create = lanes
        .iter()
        .find(|lane| lane["lane"] == "create")
        .expect("creates");
    assert!(
        create["rate"].as_f64() > Some(0.0) && create["busy"].as_f64() > Some(0.0),
        "{create}"
    );
    assert!(!Path::new(&env).exists(), "it was not told to write");
    if code == 0 && result["current"] == result["chosen"] {
        assert_eq!(result["diff"], "", "{text}");
        assert!(text.contains("leave it"), "{text}");
    }
    let page = std::fs::read_to_string(scratch.file("html")).expect("a page");
    assert!(page.contains("What the usual formulas would say"), "{page}");
}

#[test]
fn a_named_stack_gets_its_files_back() {
    let (scratch, stack) = (Scratch::new(), Contract::start(Faults::default()));
    let folder = Scratch::new();
    let env = folder.0.join(".env");
    let held = "# sizes\r\nWORKERS_CREATE = 4\r\nSECRET='x'";
    std::fs::write(&env, held).expect("written");
    let (env, profile) = (env.display().to_string(), scratch.profile(CREATES));
    // Each configuration that counts is kept.
    let command = format!(
        "cat '{env}' >> '{0}/seen'; echo >> '{0}/seen'",
        folder.0.display()
    );
    let arguments = [
        "tune",
        "--url",
        &stack.url(),
        "--apply-command",
        &command,
        "--env",
        &env,
        "--profile",
        &profile,
        "--rate",
        "60",
        "--step",
        "100ms",
        "--budget",
        "9s",
    ];
    let (code, text) = scratch.load(&arguments);
    assert!([0, 6].contains(&code), "{text}");
    assert_eq!(
        std::fs::read_to_string(&env).expect("there"),
        held,
        "{text}"
    );
    let seen = std::fs::read_to_string(folder.0.join("seen")).expect("commands ran");
    assert!(
        seen.starts_with(held) && seen.trim_end().ends_with(held),
        "{seen}"
    );
    assert!(seen.contains("WORKERS_CREATE = 8\r\n"), "{seen}");
    assert_eq!(result(&scratch)["current"]["create"], 4);
    let left = std::fs::read_dir(&folder.0).expect("ours").count();
    assert_eq!(left, 2, "no copy of .env is left");
    // A command that fails ends it, and the files are as they were all the same.
    let failing = Scratch::new();
    let mut arguments = arguments;
    arguments[4] = "exit 3";
    let (code, text) = failing.load(&arguments);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("--apply-command failed"), "{text}");
    assert_eq!(
        std::fs::read_to_string(&env).expect("there"),
        held,
        "{text}"
    );
}

#[test]
fn what_was_acknowledged_before_an_error_is_verified() {
    let (scratch, stack) = (Scratch::new(), Contract::start(Faults::default()));
    let folder = Scratch::new();
    let env = folder.0.join(".env");
    std::fs::write(&env, "WORKERS_CREATE=4\n").expect("written");
    let (env, profile) = (env.display().to_string(), scratch.profile(CREATES));
    // The sizes of the beginning count, and one other configuration.
    let runs = folder.0.join("runs").display().to_string();
    let command = format!("echo >> '{runs}'; test $(wc -l < '{runs}') -lt 3");
    let (code, text) = scratch.load(&[
        "tune",
        "--url",
        &stack.url(),
        "--apply-command",
        &command,
        "--env",
        &env,
        "--profile",
        &profile,
        "--rate",
        "60",
        "--step",
        "300ms",
        "--budget",
        "60s",
    ]);
    assert_eq!(code, 6, "{text}");
    assert!(text.contains("--apply-command failed"), "{text}");
    let result = result(&scratch);
    assert_eq!(result["verification"]["lost"], 0, "{text}");
    assert!(
        result["verification"]["acknowledged"].as_u64() > Some(0),
        "{text}"
    );
    assert_eq!(result["chosen"], result["current"], "{text}");
    let held = std::fs::read_to_string(&env).expect("there");
    assert_eq!(held, "WORKERS_CREATE=4\n", "{text}");
}

#[test]
fn a_probe_in_which_nothing_works_is_verified() {
    let stack = Contract::start(Faults {
        refuse_stored_every: Some(1),
        ..Faults::default()
    });
    let (scratch, folder) = (Scratch::new(), Scratch::new());
    let (env, profile) = (folder.0.join(".env"), scratch.profile(CREATES_ALONE));
    let (code, text) = scratch.load(&[
        "tune",
        "--url",
        &stack.url(),
        "--apply-command",
        "true",
        "--env",
        &env.display().to_string(),
        "--profile",
        &profile,
        "--step",
        "300ms",
        "--budget",
        "60s",
    ]);
    assert_eq!(code, 5, "{text}");
    assert!(text.contains("nothing worked"), "{text}");
}

/// As many requests at once as a variable of a file says, 40 ms each; the others wait for one of them to end.
fn sized_by(env: &Path, variable: &str, status: u16) -> DelayServer {
    let begin = format!("{variable}=");
    let (env, slots) = (env.to_owned(), Mutex::new(Vec::new()));
    delay_server(Behaviour {
        delay: Box::new(move |_| {
            let held = std::fs::read_to_string(&env).expect("the file is there");
            let finds = held.lines().find_map(|line| line.strip_prefix(&*begin));
            let count: usize = finds.and_then(|count| count.parse().ok()).expect("a size");
            let mut free_at = slots.lock().expect("no panic holds it");
            let now = Instant::now();
            free_at.resize(count, now);
            let next = free_at.iter_mut().min().expect("at least one");
            *next = (*next).max(now) + Duration::from_millis(40);
            *next - now
        }),
        status: Box::new(move |_| status),
        ..Behaviour::fixed(Duration::ZERO)
    })
}

const GETS: &str =
    "name='get'\n[[scenario]]\nname='get'\npath='/'\narrivals=[{rate=60,for='1s'}]\n";

/// `tune --apply` where one worker answers 25 requests a second, and 60 come.
fn apply(scratch: &Scratch, url: &str, env: &Path, command: &str, profile: &str) -> (i32, String) {
    let (env, profile) = (env.display().to_string(), scratch.profile(profile));
    let stack = ["tune", "--url", url, "--env", &env, "--profile", &profile];
    let command = ["--apply-command", command, "--apply-timeout", "10s"];
    let search = ["--rate", "60", "--step", "300ms", "--budget", "70s"];
    scratch.load(&[&stack[..], &command, &search, &["--seed", "1", "--apply"]].concat())
}

#[test]
fn a_stack_that_breaks_a_promise_is_not_written_to() {
    let (scratch, folder) = (Scratch::new(), Scratch::new());
    let (env, held) = (folder.0.join(".env"), "WORKERS=3\nWORKERS_CREATE=1\n");
    std::fs::write(&env, held).expect("written");
    // A 201 without a Location acknowledges what nobody can find.
    let stack = sized_by(&env, "WORKERS_CREATE", 201);
    let profile = CREATES.split_inclusive("for='1s'}]\n").next();
    let profile = profile.expect("creates").replace("rate=30", "rate=60");
    let url = format!("http://{}", stack.address);
    let (code, text) = apply(&scratch, &url, &env, "true", &profile);
    assert_eq!(code, 5, "{text}");
    let result = result(&scratch);
    assert_ne!(result["chosen"], result["current"], "{text}");
    assert!(text.contains("--apply has written nothing"), "{text}");
    assert!(!text.contains("tune undo"), "{text}");
    assert_eq!(std::fs::read_to_string(&env).expect("there"), held);
    assert_eq!(std::fs::read_dir(&folder.0).expect("ours").count(), 1);
}

#[test]
fn a_proposal_whose_command_hangs_is_withdrawn() {
    let (scratch, folder) = (Scratch::new(), Scratch::new());
    let (env, held) = (folder.0.join(".env"), "WORKERS=3\nWORKERS_FIND=1\n");
    std::fs::write(&env, held).expect("written");
    let stack = sized_by(&env, "WORKERS_FIND", 200);
    // Without a list of copies the search is over; the next change is the proposal.
    let command = format!(
        "if [ ! -e '{0}/tune.undo' ]; then touch '{1}/over'; elif [ -e '{1}/over' ]; then sleep 600; fi",
        scratch.0.display(),
        folder.0.display()
    );
    let (code, text) = apply(&scratch, &stack.url(), &env, &command, GETS);
    assert_eq!(code, 6, "{text}");
    assert!(text.contains("did not end within 10s"), "{text}");
    assert!(
        text.contains("withdrawn: the files are as they were"),
        "{text}"
    );
    assert!(!text.contains("tune undo"), "{text}");
    assert_eq!(std::fs::read_to_string(&env).expect("there"), held);
    let left = std::fs::read_dir(&folder.0).expect("ours").count();
    assert_eq!(left, 2, "no copy of .env is left");
}

#[test]
fn a_size_that_matters_is_found_applied_and_undone() {
    let (scratch, folder) = (Scratch::new(), Scratch::new());
    let env = folder.0.join(".env");
    // One worker that finds answers 25 requests a second, and 60 come.
    let held = "# mine\nWORKERS=3\nWORKERS_FIND=1\n";
    std::fs::write(&env, held).expect("written");
    let stack = sized_by(&env, "WORKERS_FIND", 200);
    let (code, text) = apply(&scratch, &stack.url(), &env, "true", GETS);
    assert_eq!(code, 0, "{text}");
    let result = result(&scratch);
    assert!(result["chosen"]["find"].as_u64() >= Some(2), "{text}");
    assert!(result["again"]["ratio"].as_f64() < Some(0.9), "{text}");
    // Measured once more as it was written.
    let last = result["samples"].as_array().and_then(|all| all.last());
    assert_eq!(last.expect("samples")["sizes"], result["chosen"], "{text}");
    let now = std::fs::read_to_string(&env).expect("there");
    assert!(
        now.contains(&format!("WORKERS_FIND={}", result["chosen"]["find"])),
        "{now}"
    );
    assert!(
        result["diff"]
            .as_str()
            .is_some_and(|diff| diff.contains("-WORKERS_FIND=1\n+WORKERS_FIND=")),
        "{text}"
    );
    assert!(text.contains("tune undo"), "{text}");
    let undo = Command::new(PROGRAM)
        .args(["tune", "undo", "--out"])
        .arg(&scratch.0)
        .output()
        .expect("it runs");
    assert!(undo.status.success(), "{undo:?}");
    assert_eq!(std::fs::read_to_string(&env).expect("there"), held);
    assert_eq!(std::fs::read_dir(&folder.0).expect("ours").count(), 1);
}

#[test]
fn wrong_use_names_what_is_wrong() {
    let url = "http://127.0.0.1:1";
    let scratch = Scratch::new();
    let env = scratch.0.join(".env");
    std::fs::write(&env, "WORKERS=many\n").expect("written");
    let env = env.display().to_string();
    let sized = |text: &str| {
        let path = scratch.0.join(text);
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let sized_elsewhere = scratch.0.join("pgbouncer.ini").display().to_string();
    let ini =
        "[databases]\nwarrior_api = host=db pool_size=5\n[pgbouncer]\ndefault_pool_size = 20\n";
    std::fs::write(&sized_elsewhere, ini).expect("written");
    let [workers, lane, pool] = [
        "WORKERS=4294967295",
        "WORKERS_FIND=65",
        "PGBOUNCER_DEFAULT_POOL_SIZE=0",
    ]
    .map(sized);
    for (arguments, word) in [
        (vec!["tune", "--url", url], "--apply-command"),
        (vec!["tune", "--apply-command", "true"], "--url"),
        (
            vec!["tune", "--postgres", "host=x"],
            "--postgres has no effect",
        ),
        (vec!["tune", "--rate=-1"], "--rate"),
        (
            vec!["tune", "--budget", "1m", "--server", "/bin/true"],
            "--budget 1m is too short",
        ),
        (
            vec!["tune", "--env", &env, "--server", "/bin/true"],
            "WORKERS is `many`",
        ),
        (
            vec!["tune", "--env", &workers, "--server", "/bin/true"],
            "WORKERS is 4294967295; want 3 to 192",
        ),
        (
            vec!["tune", "--env", &lane, "--server", "/bin/true"],
            "WORKERS_FIND is 65; want 1 to 64",
        ),
        (
            vec!["tune", "--env", &pool, "--server", "/bin/true"],
            "PGBOUNCER_DEFAULT_POOL_SIZE is 0; want 1 to 256",
        ),
        (
            vec!["tune", "--step", "0s", "--server", "/bin/true"],
            "--step must be longer than nothing",
        ),
        (
            vec!["tune", "--budget", "500000000000y"],
            "want at most 7days",
        ),
        (
            vec![
                "tune",
                "--pgbouncer-ini",
                "/none.ini",
                "--server",
                "/bin/true",
            ],
            "--pgbouncer-ini /none.ini",
        ),
        (
            vec![
                "tune",
                "--pgbouncer-ini",
                &sized_elsewhere,
                "--server",
                "/bin/true",
            ],
            "pgbouncer.ini: line 2: pool_size=5 of database warrior_api takes the place of default_pool_size",
        ),
        (
            vec!["tune", "--url", url, "--apply-timeout", "1s"],
            "--apply-command",
        ),
    ] {
        let (code, text) = Scratch::new().load(&arguments);
        assert_eq!(code, 1, "{arguments:?}: {text}");
        assert!(text.contains(word), "{word} in {text}");
    }
    let undo = Command::new(PROGRAM)
        .args(["tune", "undo", "--out"])
        .arg(&scratch.0)
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&undo.stderr);
    assert_eq!(undo.status.code(), Some(1), "{text}");
    assert!(text.contains("nothing to undo"), "{text}");
}

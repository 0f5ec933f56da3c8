//! `tune --apply`, and what gives the files back.

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::{CREATES, result, tune_named};
use crate::delay::{Behaviour, DelayServer, delay_server};
use crate::scratch::{PROGRAM, Scratch};

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
    let search = ["--rate", "60", "--step", "300ms", "--budget", "70s"];
    let apply = ["--seed", "1", "--apply", "--apply-timeout", "10s"];
    let more = [&search[..], &apply].concat();
    tune_named(scratch, url, command, env, profile, &more)
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

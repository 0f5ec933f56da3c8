//! A run under adversity: a full disk, its own limits, a reader that goes away, interrupts.

use std::process::Command;
use std::time::Duration;

use crate::contract::{Contract, Faults};
use crate::delay::{Behaviour, delay_server};
use crate::scratch::{CREATES_ALONE, PROGRAM, Scratch};

/// Each create has its outcome in the ledger before the next one begins, however slow the machine is.
const ONE_AT_A_TIME: &str = "name = 'creates'\nclosed = { connections = 1, for = '1s' }\nthresholds = ['lost == 0']\n\
                             [[scenario]]\nname = 'create'\nrequest = 'create-valid'\n";

/// Blocks of 512 or 1024 bytes that hold the ledger of ten creates, and not the page of a result.
const FITS_A_LEDGER: u32 = 12;

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
    for (blocks, creates, server, code, verdict) in [
        (FITS_A_LEDGER, &*few, &forgetful, 5, "PROMISE BROKEN"),
        (FITS_A_LEDGER, &*few, &honest, 1, "lost 0 of "),
        (2, ONE_AT_A_TIME, &forgetful, 5, "PROMISE BROKEN"),
        (2, ONE_AT_A_TIME, &honest, 6, "cannot write the ledger"),
    ] {
        let scratch = Scratch::new();
        let profile = scratch.profile(creates);
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
    let failing = delay_server(Behaviour {
        status: Box::new(|_| 500),
        ..Behaviour::fixed(Duration::ZERO)
    });
    let working = delay_server(Behaviour::fixed(Duration::ZERO));
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
fn a_generator_that_reaches_its_own_limit_is_6() {
    let server = delay_server(Behaviour::fixed(Duration::from_millis(200)));
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
    let server = delay_server(Behaviour::fixed(Duration::ZERO));
    let scratch = Scratch::new();
    let mut child = Command::new(PROGRAM)
        .args(["run", "--url", &server.url(), "--rate", "20", "--for", "2s"])
        .args(["--no-tui", "--lateness-max", "60s", "--out"])
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
    let server = delay_server(Behaviour::fixed(Duration::from_secs(60)));
    let scratch = Scratch::new();
    let mut child = Command::new(PROGRAM)
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

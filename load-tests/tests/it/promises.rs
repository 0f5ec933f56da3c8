//! Promises kept, broken and unproven by a whole run: exit codes 0, 5 and 6.

use crate::contract::{Contract, Faults};
use crate::scratch::{CREATES, CREATES_ALONE, Scratch};

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
    for outside in ["http-equiv", "src=", "@import", "import(", "fetch(", "url("] {
        assert!(
            !html.contains(outside),
            "the report reaches outside: {outside}"
        );
    }
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
    assert!(text.contains("none of "), "{text}");
    assert!(!text.contains("lost 0"), "{text}");
}

#[test]
fn a_server_that_asks_for_patience_is_read_back_in_the_end() {
    // More than are asked at once: some are told to wait twice.
    let busy = |seconds| Faults {
        busy_reads: Some((40, seconds)),
        ..Faults::default()
    };
    let run = |faults| {
        let (scratch, server) = (Scratch::new(), Contract::start(faults));
        let profile = scratch.profile(CREATES_ALONE);
        scratch.load(&["run", "--url", &server.url(), "--profile", &profile])
    };
    let (code, text) = run(busy(1));
    assert_eq!(code, 0, "{text}");
    // One that asks for an hour is not waited for.
    let (code, text) = run(busy(3600));
    assert_eq!(code, 6, "{text}");
    assert!(text.contains(" read back; 40 of "), "{text}");
    let unread = "40 acknowledged writes could not be read back";
    assert!(text.contains(unread), "{text}");
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

//! Completions and manual pages of the load tool.

use std::process::Command;

use crate::scratch::{PROGRAM, Scratch};

#[test]
fn completions_and_pages_name_every_command() {
    let scratch = Scratch::new();
    let ran = |arguments: &[&str]| {
        let ran = Command::new(PROGRAM).args(arguments).output();
        let ran = ran.expect("the program runs");
        assert!(ran.status.success(), "{arguments:?}: {ran:?}");
        String::from_utf8(ran.stdout).expect("UTF-8")
    };
    let folder = scratch.0.join("man1");
    ran(&["manual", folder.to_str().expect("UTF-8")]);
    let commands = [
        "run",
        "verify",
        "capacity",
        "compare",
        "reproduce",
        "stress",
        "tune",
    ];
    for shell in ["bash", "zsh", "fish"] {
        let text = ran(&["completions", shell]);
        for command in commands {
            assert!(text.contains(command), "{shell}: {command}");
            let page = folder.join(format!("warrior-load-{command}.1"));
            assert!(page.exists(), "{}", page.display());
        }
    }
    // The label that a command becomes when words are read is one of those that are looked up.
    let bash = ran(&["completions", "bash"]);
    assert!(bash.contains("cmd=\"warrior__load__subcmd__run\""));
    assert!(bash.contains(" warrior__load__subcmd__run)"));
}

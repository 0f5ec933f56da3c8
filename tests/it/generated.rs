//! Completions and manual pages, as a shell and a reader of manuals take them.

use std::fs;
use std::process::{Command, Stdio};

use clap::CommandFactory;
use warrior_api::config::Cli;

use crate::program::refusal;
use crate::settings::program;
use crate::supervisor::{Scratch, WARRIOR_API};

#[test]
fn bash_completes_commands_and_flags() {
    // A shell calls the function that the script registers with command, word and word before.
    let complete = r#"
        eval "$("$1" completions bash)"
        function=$(complete -p warrior-api | sed 's/.*-F \([^ ]*\) .*/\1/')
        COMP_WORDS=(warrior-api "${@:2}") COMP_CWORD=$(($# - 1))
        "$function" warrior-api "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        echo "${COMPREPLY[*]}""#;
    for (typed, completed) in [
        (&["doc"][..], "doctor"),
        (&["schema", "app"], "apply"),
        (&["serve", "--postgres-ho"], "--postgres-host"),
    ] {
        let mut bash = Command::new("bash");
        bash.args(["-c", complete, "bash", WARRIOR_API]).args(typed);
        let said = bash
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .output()
            .unwrap();
        assert!(said.status.success(), "{typed:?}: {said:?}");
        assert_eq!(String::from_utf8_lossy(&said.stdout).trim(), completed);
    }
}

#[test]
fn zsh_and_fish_get_every_command() {
    for shell in ["zsh", "fish"] {
        let said = program(&["completions", shell]).output().unwrap();
        let text = String::from_utf8(said.stdout).unwrap();
        assert!(said.status.success());
        for command in Cli::command().get_subcommands() {
            assert!(text.contains(command.get_name()), "{shell}: {command}");
        }
    }
    let said = refusal(program(&["completions", "tcsh"]).stdin(Stdio::null()));
    assert!(said.contains("tcsh") && said.contains("fish"), "{said}");
}

#[test]
fn a_full_disk_is_an_error_and_no_panic() {
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut command = program(&["completions", "bash"]);
    let said = command
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&said.stderr);
    assert_eq!(said.status.code(), Some(1), "{error}");
    assert!(
        error.contains("standard output") && !error.contains("panicked"),
        "{error}"
    );
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let scratch = Scratch::new();
    let folder = scratch.join("man/man1");
    let folder = folder.to_str().unwrap();
    assert!(program(&["manual", folder]).status().unwrap().success());
    for command in Cli::command().get_subcommands() {
        let page = format!("{folder}/warrior-api-{}.1", command.get_name());
        let text = fs::read_to_string(&page).unwrap_or_else(|e| panic!("{page}: {e}"));
        assert!(text.contains(".TH"), "{page}");
    }
    let serve = fs::read_to_string(format!("{folder}/warrior-api-serve.1")).unwrap();
    assert!(serve.contains("REQUEST_DEADLINE_MS"), "variables are named");
    let file = scratch.join("file");
    fs::write(&file, "").unwrap();
    let said = refusal(&mut program(&["manual", file.to_str().unwrap()]));
    assert!(
        said.contains("file does not take the manual pages"),
        "{said}"
    );
}

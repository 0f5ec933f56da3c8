//! The units and their settings, which must agree with the program; `make dist-test` runs them in bare systems.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use clap::{CommandFactory, Parser};
use warrior_api::config::Cli;
use warrior_stack::shipped::setting;

use crate::agreement::default_of;
use crate::supervisor::{Scratch, WARRIOR_API};

const SERVE: &str = include_str!("../../packaging/systemd/warrior-api.service");
const UP: &str = include_str!("../../packaging/systemd/warrior-api-up.service");
const INSTALL: &str = include_str!("../../packaging/install.sh");
const SETTINGS: &str = include_str!("../../packaging/warrior-api.env");

#[test]
fn the_units_start_commands_of_the_program() {
    for (unit, command) in [(SERVE, "serve"), (UP, "up")] {
        let line = setting(unit, "ExecStart").unwrap();
        let (program, arguments) = line.split_once(' ').unwrap();
        assert_eq!(program, "/usr/local/bin/warrior-api");
        assert_eq!(arguments, command);
        Cli::try_parse_from(["warrior-api", arguments]).unwrap();
    }
}

#[test]
fn the_settings_of_serve_are_its_variables() {
    let command = Cli::command();
    let serve = command.find_subcommand("serve").unwrap();
    let mut named = 0;
    for line in SETTINGS.lines() {
        let Some((name, value)) = line.trim_start_matches('#').split_once('=') else {
            continue;
        };
        // A sentence may hold an equals sign, too.
        if name.contains(' ') {
            continue;
        }
        named += 1;
        if name.ends_with("_FILE") {
            continue;
        }
        let arg = serve
            .get_arguments()
            .find(|a| a.get_env().is_some_and(|env| env == name));
        let arg = arg.unwrap_or_else(|| panic!("{name} is no variable of serve"));
        let default = arg.get_default_values().first();
        // What is not commented out may differ; what is shows the default.
        if line.starts_with('#') && !value.is_empty() {
            assert_eq!(default.and_then(|d| d.to_str()), Some(value), "{name}");
        }
    }
    assert!(named >= 8, "{named} settings");
}

#[test]
fn systemd_waits_for_as_long_as_a_drain_takes() {
    let drain_ms = default_of("DRAIN_DELAY_MS") + default_of("DRAIN_TIMEOUT_MS") + 1000;
    for unit in [SERVE, UP] {
        let seconds: usize = setting(unit, "TimeoutStopSec").unwrap().parse().unwrap();
        assert!(1000 * seconds > drain_ms);
    }
}

/// The start of one stops the other, which drains first; what serves is tried again for as long as that takes.
#[test]
fn one_unit_waits_for_the_end_of_the_other_and_is_not_given_up() {
    assert_eq!(setting(UP, "Conflicts"), Some("warrior-api.service"));
    let after = setting(UP, "After").unwrap();
    assert!(after.split(' ').any(|unit| unit == "warrior-api.service"));
    for unit in [SERVE, UP] {
        assert_eq!(setting(unit, "StartLimitIntervalSec"), Some("0"));
    }
}

#[test]
fn both_units_have_one_sandbox() {
    let sandbox = |unit: &'static str| -> Vec<&str> {
        let (_, rest) = unit.split_once("# Sandbox").unwrap();
        let lines = rest
            .lines()
            .skip_while(|line| *line != "NoNewPrivileges=yes");
        lines
            .filter(|line| *line != "MemoryDenyWriteExecute=yes")
            .collect()
    };
    assert!(sandbox(SERVE).len() > 20);
    assert_eq!(sandbox(SERVE), sandbox(UP));
}

/// As by a kill or a full disk: a folder that cannot be made ends it after the first files.
#[test]
fn an_upgrade_that_is_interrupted_can_be_repeated_and_removed() {
    let scratch = Scratch::new();
    let old = archive(&scratch.join("old"), &["share/warrior-api/old"]);
    let new = archive(
        &scratch.join("new"),
        &["lib/new", "share/warrior-api/blocked/new"],
    );
    let root = scratch.join("root");
    let run = |folder: &Path, action| {
        let install = folder.join("install.sh");
        let mut command = Command::new("sh");
        command.arg(install).arg(action).arg("--root").arg(&root);
        command.output().unwrap()
    };
    let prefix = root.join("usr/local");
    let (manifest, obstacle) = (
        prefix.join("share/warrior-api/manifest"),
        prefix.join("share/warrior-api/blocked"),
    );
    let is_removed_whole = || {
        succeeds(&run(&new, "remove"));
        let left = files(&prefix);
        assert!(left.is_empty(), "{left:?}");
    };
    let interrupt = || {
        succeeds(&run(&old, "install"));
        fs::write(&obstacle, "").unwrap();
        let output = run(&new, "install");
        assert!(!output.status.success(), "{output:?}");
        fs::remove_file(&obstacle).unwrap();
    };
    interrupt();
    let named = fs::read_to_string(&manifest).unwrap();
    for file in files(&prefix) {
        assert!(
            named.contains(&format!("\nfile {file}\n")),
            "{file}: {named}"
        );
    }
    is_removed_whole();
    interrupt();
    succeeds(&run(&new, "install"));
    let mut expected = BTreeSet::from(
        [
            "bin/warrior-api",
            "lib/new",
            "share/doc/warrior-api/warrior-api.env",
        ]
        .map(str::to_owned),
    );
    expected.extend(
        ["BUILD", "blocked/new", "install.sh", "manifest"]
            .map(|f| format!("share/warrior-api/{f}")),
    );
    assert_eq!(files(&prefix), expected);
    is_removed_whole();
}

/// An archive of the program and these files.
fn archive(folder: &Path, files: &[&str]) -> PathBuf {
    let settings = "share/doc/warrior-api/warrior-api.env";
    for file in files.iter().chain(&["bin/warrior-api", settings]) {
        let file = folder.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "").unwrap();
    }
    fs::copy(WARRIOR_API, folder.join("bin/warrior-api")).unwrap();
    fs::write(folder.join(settings), SETTINGS).unwrap();
    fs::write(folder.join("BUILD"), "name warrior-api\n").unwrap();
    fs::write(folder.join("install.sh"), INSTALL).unwrap();
    folder.to_owned()
}

/// The files below a folder, by their paths in it.
fn files(folder: &Path) -> BTreeSet<String> {
    let output = Command::new("find")
        .args([".", "-type", "f"])
        .current_dir(folder)
        .output()
        .unwrap();
    let paths = String::from_utf8(output.stdout).unwrap();
    paths
        .lines()
        .map(|path| path.trim_start_matches("./").to_owned())
        .collect()
}

#[track_caller]
fn succeeds(output: &Output) {
    assert!(output.status.success(), "{output:?}");
}

//! The units and their settings, which must agree with the program; `make dist-test` runs them in bare systems.

use clap::{CommandFactory, Parser};
use warrior_api::config::Cli;
use warrior_stack::shipped::setting;

use crate::agreement::default_of;

const SERVE: &str = include_str!("../../packaging/systemd/warrior-api.service");
const UP: &str = include_str!("../../packaging/systemd/warrior-api-up.service");
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

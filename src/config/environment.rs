//! Where values come from: the environment, and after it `.env`.
//!
//! The file's values never enter the process's environment: the children of `up` would inherit its secrets.
//! What has a flag becomes that flag, where neither the command line nor the environment gave a value.

use std::cell::RefCell;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::sync::OnceLock;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory, FromArgMatches};

use super::env_file::{self, Values};
use super::secret::SECRETS;
use super::{Cli, ConfigError};

/// Read from the working directory alone: one that belongs to another project further up is none of
/// ours.
pub(super) const ENV_FILE: &str = ".env";

/// What `.env` holds of the variables that the program reads.
static FROM_FILE: OnceLock<Values> = OnceLock::new();

/// What it holds besides, and looks as if it were meant for the program.
static UNREAD: OnceLock<Vec<String>> = OnceLock::new();
/// Beginnings of names that no other program is likely to have. POSTGRES_ is not among them: the images of
/// PostgreSQL have variables of their own.
const OURS: [&str; 4] = ["GUNICORN_", "DB_", "WORKERS", "IDEMPOTENCY_"];

/// Variables that have neither a flag nor a secret's name.
const OTHERS: [&str; 1] = ["NO_COLOR"];

/// Reads the flags, the environment and `.env`; prints help and errors itself, as clap does.
///
/// # Errors
/// When `.env` exists and cannot be read as Docker Compose reads it.
pub fn load() -> Result<Cli, ConfigError> {
    let mut arguments: Vec<OsString> = env::args_os().collect();
    let command = Cli::command();
    let matches = command.clone().get_matches_from(&arguments);
    let unread = RefCell::new(Vec::new());
    let known = |name: &str| {
        let read = is_read(&command, name);
        if !read && OURS.iter().any(|ours| name.starts_with(ours)) {
            unread.borrow_mut().push(name.to_owned());
        }
        read
    };
    let values = match fs::read_to_string(ENV_FILE) {
        Ok(text) => {
            env_file::parse(&text, known).map_err(|fault| ConfigError(fault.to_string()))?
        }
        Err(e) if e.kind() == ErrorKind::NotFound => Values::new(),
        Err(e) => return Err(ConfigError(format!("{ENV_FILE} cannot be read: {e}"))),
    };
    arguments.extend(flags(&command, &matches, &values));
    let _ = FROM_FILE.set(values);
    let _ = UNREAD.set(unread.into_inner());
    let matches = command.get_matches_from(arguments);
    Ok(Cli::from_arg_matches(&matches).unwrap_or_else(|e| e.exit()))
}

/// The value of a variable, from the environment or from `.env`; an empty one is a value, too.
///
/// # Errors
/// When it is not UTF-8.
#[expect(
    clippy::disallowed_methods,
    reason = "config is the reader of the environment"
)]
pub(super) fn variable(name: &str) -> Result<Option<String>, ConfigError> {
    match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(in_file(name).map(str::to_owned)),
        Err(env::VarError::NotUnicode(_)) => Err(ConfigError(format!("{name} is not UTF-8"))),
    }
}

/// The value that `.env` gives to a variable.
pub(super) fn in_file(name: &str) -> Option<&'static str> {
    FROM_FILE.get()?.get(name).map(String::as_str)
}

/// Names in `.env` that look as if they were meant for the program, and that it does not know.
pub(super) fn unread() -> &'static [String] {
    UNREAD.get().map_or(&[], Vec::as_slice)
}

/// Whether colours are unwelcome, as <https://no-color.org> has it.
pub fn no_color() -> bool {
    variable("NO_COLOR").is_ok_and(|value| value.is_some_and(|text| !text.is_empty()))
}

/// Flags for what the file gives and nobody else does. They stand at the end, where a flag of the last
/// command may stand, and a global one of a command before it.
fn flags(command: &Command, matches: &ArgMatches, values: &Values) -> Vec<OsString> {
    let leaf = leaf(matches);
    let open = |matches: &ArgMatches, arg: &Arg| {
        let matches = if arg.is_global_set() { leaf } else { matches };
        !matches!(
            matches.value_source(arg.get_id().as_str()),
            Some(ValueSource::CommandLine | ValueSource::EnvVariable)
        )
    };
    let mut flags = Vec::new();
    let mut level = Some((command, matches));
    while let Some((command, matches)) = level {
        for arg in command.get_arguments() {
            let value = arg.get_env().and_then(|name| values.get(name.to_str()?));
            if let (Some(flag), Some(value)) = (arg.get_long(), value)
                && open(matches, arg)
            {
                flags.push(OsString::from(format!("--{flag}={value}")));
            }
        }
        level = matches
            .subcommand()
            .and_then(|(name, matches)| Some((command.find_subcommand(name)?, matches)));
    }
    flags
}

fn leaf(matches: &ArgMatches) -> &ArgMatches {
    matches
        .subcommand()
        .map_or(matches, |(_, matches)| leaf(matches))
}

/// Whether any command reads the variable `name`.
pub(super) fn is_read(command: &Command, name: &str) -> bool {
    OTHERS.contains(&name)
        || SECRETS.contains(&name.strip_suffix("_FILE").unwrap_or(name))
        || command
            .get_arguments()
            .any(|arg| arg.get_env().is_some_and(|env| env == name))
        || command
            .get_subcommands()
            .any(|command| is_read(command, name))
}

//! Precedence: flags, then the environment, then `.env`.
//!
//! The file's values never enter the process's environment: the children of `up` would inherit its secrets.
//! A value of the file becomes a flag, where neither the command line nor the environment gave one.

use std::cell::RefCell;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory, FromArgMatches};

use super::cli::Cli;
use super::env_file::{self, Values};
use super::environment::{ENV_FILE, Given, OTHERS, SECRETS, keep, keep_given};
use super::error::ConfigError;

/// Prefixes of names that no other program is likely to have. POSTGRES_ is not among them: the images of
/// PostgreSQL have variables of their own.
const OWN_PREFIXES: [&str; 5] = ["GUNICORN_", "DB_", "DUCKDB_", "WORKERS", "IDEMPOTENCY_"];

/// What the command line came to.
#[derive(Debug)]
pub enum Loaded {
    /// A command to run.
    Command(Box<Cli>),
    /// Help, the version or a fault of usage, which was printed.
    Told(ExitCode),
}

/// Reads the flags, the environment and `.env`; prints help and errors itself, as clap does.
///
/// # Errors
/// When `.env` exists and cannot be read as Docker Compose reads it.
pub fn load() -> Result<Loaded, ConfigError> {
    let mut arguments: Vec<OsString> = env::args_os().collect();
    let command = Cli::command();
    let matches = match command.clone().try_get_matches_from(&arguments) {
        Ok(matches) => matches,
        Err(e) => return Ok(told(&e)),
    };
    let unread = RefCell::new(Vec::new());
    let known = |name: &str| {
        let read = is_read(&command, name);
        if !read && OWN_PREFIXES.iter().any(|ours| name.starts_with(ours)) {
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
    let typed = given(&command, &matches, |source| {
        source == ValueSource::CommandLine
    });
    arguments.extend(flags(&command, &matches, &values));
    keep(values, unread.into_inner());
    let matches = match command.clone().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(e) => return Ok(told(&e)),
    };
    keep_given(Given {
        all: given(&command, &matches, |source| {
            source != ValueSource::DefaultValue
        }),
        typed,
    });
    Ok(match Cli::from_arg_matches(&matches) {
        Ok(cli) => Loaded::Command(Box::new(cli)),
        Err(e) => told(&e),
    })
}

/// Help and the version are no failure; wrong usage is one as any other, and not clap's status 2.
fn told(e: &clap::Error) -> Loaded {
    let _ = e.print();
    Loaded::Told(match e.use_stderr() {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}

/// Flags for the values that only the file gives. The place of these flags is the end of the command line, where flags of
/// the last command may stand, and global ones of a command before it.
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

/// The settings whose values come from where `is` says, by variable and flag.
fn given(
    command: &Command,
    matches: &ArgMatches,
    is: impl Fn(ValueSource) -> bool,
) -> Vec<(String, String)> {
    let mut names = Vec::new();
    let mut level = Some((command, matches));
    while let Some((command, matches)) = level {
        for arg in command.get_arguments() {
            let variable = arg.get_env().and_then(|name| name.to_str());
            if let (Some(variable), Some(flag)) = (variable, arg.get_long())
                && matches.value_source(arg.get_id().as_str()).is_some_and(&is)
            {
                names.push((variable.to_owned(), flag.to_owned()));
            }
        }
        level = matches
            .subcommand()
            .and_then(|(name, matches)| Some((command.find_subcommand(name)?, matches)));
    }
    names
}

fn leaf(matches: &ArgMatches) -> &ArgMatches {
    matches
        .subcommand()
        .map_or(matches, |(_, matches)| leaf(matches))
}

/// Whether any command reads the variable `name`.
fn is_read(command: &Command, name: &str) -> bool {
    OTHERS.contains(&name)
        || SECRETS.contains(&name.strip_suffix("_FILE").unwrap_or(name))
        || command
            .get_arguments()
            .any(|arg| arg.get_env().is_some_and(|env| env == name))
        || command
            .get_subcommands()
            .any(|command| is_read(command, name))
}

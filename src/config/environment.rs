//! The environment, and after it `.env`.

use std::env;
use std::sync::OnceLock;

use super::env_file::Values;
use super::error::ConfigError;

/// The file of the working directory alone: one that belongs to another project further up is none of ours.
pub(super) const ENV_FILE: &str = ".env";

/// Variables that hold a secret; each may give way to a `_FILE` that names a file with it.
pub(super) const SECRETS: [&str; 3] = ["POSTGRES_PASSWORD", "POSTGRES_OWNER_PASSWORD", IDEMPOTENCY];
pub(super) const IDEMPOTENCY: &str = "IDEMPOTENCY_SECRET";

/// Variables that have neither a flag nor a secret's name.
pub(super) const OTHERS: [&str; 1] = [NO_COLOR];
const NO_COLOR: &str = "NO_COLOR";

/// What `.env` holds of the variables that the program reads.
static FROM_FILE: OnceLock<Values> = OnceLock::new();
/// What it holds besides, and looks as if it were meant for the program.
static UNREAD: OnceLock<Vec<String>> = OnceLock::new();

/// Keeps what `.env` holds, for everything that is read later.
pub(super) fn keep(values: Values, unread: Vec<String>) {
    let _ = FROM_FILE.set(values);
    let _ = UNREAD.set(unread);
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
    variable(NO_COLOR).is_ok_and(|value| value.is_some_and(|text| !text.is_empty()))
}

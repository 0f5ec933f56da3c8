//! The environment and `.env` behind it, as they are read one variable at a time. A leaf.

use std::env;
use std::sync::OnceLock;

use super::env_file::Values;
use super::error::ConfigError;

/// The name of the file, in the working directory alone: a file further up belongs to another project.
pub(super) const ENV_FILE: &str = ".env";

/// Variables that hold a secret; in the place of each, a `_FILE` may name a file that holds it.
pub(super) const SECRETS: [&str; 4] = [
    "POSTGRES_PASSWORD",
    "POSTGRES_OWNER_PASSWORD",
    "POSTGRES_MONITOR_PASSWORD",
    IDEMPOTENCY,
];
pub(super) const IDEMPOTENCY: &str = "IDEMPOTENCY_SECRET";

/// Variables that have neither a flag nor a secret's name.
pub(super) const OTHERS: [&str; 1] = [NO_COLOR];
const NO_COLOR: &str = "NO_COLOR";

/// The values in `.env` of the variables that the program reads.
static FROM_FILE: OnceLock<Values> = OnceLock::new();
/// Names in `.env` that look as if they were meant for the program, and that no command reads.
static UNREAD: OnceLock<Vec<String>> = OnceLock::new();

static GIVEN: OnceLock<Given> = OnceLock::new();

/// Settings that are not left at their defaults, by variable and flag.
pub(super) struct Given {
    /// By a flag, the environment or `.env`.
    pub(super) all: Vec<(String, String)>,
    /// By a flag that somebody typed.
    pub(super) typed: Vec<(String, String)>,
}

/// Keeps the contents of `.env` for later reads.
pub(super) fn keep(values: Values, unread: Vec<String>) {
    let _ = FROM_FILE.set(values);
    let _ = UNREAD.set(unread);
}

/// Keeps which settings are given, and how.
pub(super) fn keep_given(given: Given) {
    let _ = GIVEN.set(given);
}

/// Whether the setting of this variable is given, in whatever way.
pub(super) fn is_given(name: &str) -> bool {
    let by_flag = GIVEN
        .get()
        .is_some_and(|given| given.all.iter().any(|(variable, _)| variable == name));
    by_flag || variable(name).is_ok_and(|value| value.is_some())
}

/// The flag by which somebody has typed the setting of this variable.
pub(super) fn typed(name: &str) -> Option<String> {
    let mut typed = GIVEN.get()?.typed.iter();
    let (_, flag) = typed.find(|(variable, _)| variable == name)?;
    Some(format!("--{flag}"))
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

/// The names that look as if they were meant for the program, for a warning.
pub(super) fn unread() -> &'static [String] {
    UNREAD.get().map_or(&[], Vec::as_slice)
}

/// Whether colours are unwelcome, as <https://no-color.org> has it.
pub fn no_color() -> bool {
    variable(NO_COLOR).is_ok_and(|value| value.is_some_and(|text| !text.is_empty()))
}

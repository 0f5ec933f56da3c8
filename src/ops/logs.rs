//! Logs, as text or JSON lines on standard error; standard output is for results.

use std::io::{IsTerminal, Write};

use chrono::{SecondsFormat, Utc};
use serde::Serialize;
use tracing::Level;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::config::{self, ConfigError, LogFormat};
use crate::throttle;

/// Lines that may wait for a slow reader; more are dropped rather than holding up requests.
const WAITING_MAX: usize = 16 * 1024;

/// Logs the counts that were held back, and writes the lines that wait, when it is dropped.
#[must_use]
#[derive(Debug)]
pub struct LogGuard(#[expect(dead_code, reason = "held for its drop")] WorkerGuard);

impl Drop for LogGuard {
    fn drop(&mut self) {
        throttle::flush();
    }
}

/// Starts logging.
///
/// # Errors
/// When `level` is no level and no tracing directive.
pub fn start(format: LogFormat, level: &str) -> Result<LogGuard, ConfigError> {
    let wrong = |why: &str| {
        ConfigError(format!(
            "LOG_LEVEL is {level:?}: {why}; it must be error, warn, info, debug or trace"
        ))
    };
    // To tracing a word that is no level is a module, all of whose lines are wanted: a typo would
    // silence everything else.
    let is_word = |part: &&str| !part.contains(['=', '[']);
    if let Some(word) = level
        .split(',')
        .filter(is_word)
        .find(|word| word.trim().parse::<LevelFilter>().is_err())
    {
        return Err(wrong(&format!("{word:?} is no level")));
    }
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .parse(level)
        .map_err(|e| wrong(&e.to_string()))?;
    // There is no bridge from the crate `log`, on purpose: at level debug the PostgreSQL client writes the
    // parameters of statements there, names and dates of people.
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(WAITING_MAX)
        .finish(std::io::stderr());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal() && !config::no_color())
        // A closed standard error must not end the program.
        .log_internal_errors(false);
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    if let Err(e) = throttle::start() {
        // The next line of the same kind carries the count, or the end of the program.
        tracing::warn!(error = %e, "counts of repeated lines may come late: there is no thread for them");
    }
    Ok(LogGuard(guard))
}

/// Writes a line for the operator at any log level, also before logging is started, in the form that log lines have.
/// A standard error that nobody reads is no error.
pub fn say(format: LogFormat, level: Level, message: &str) {
    #[derive(Serialize)]
    struct Line<'a> {
        timestamp: String,
        level: &'a str,
        message: &'a str,
    }
    let line = match format {
        LogFormat::Text => message.to_owned(),
        LogFormat::Json => serde_json::to_string(&Line {
            timestamp: Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true),
            level: level.as_str(),
            message,
        })
        .unwrap_or_default(),
    };
    let _ = writeln!(std::io::stderr(), "{line}");
}

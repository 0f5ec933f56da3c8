//! Logs, as text or JSON lines on standard error; standard output is for results.

use std::io::IsTerminal;

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{Directive, LevelFilter};

use crate::config::{self, ConfigError, LogFormat};

/// Lines that may wait for a slow reader; more are dropped rather than holding up requests.
const WAITING_MAX: usize = 16 * 1024;

/// Writes what waits when it is dropped.
#[must_use]
#[derive(Debug)]
pub struct LogGuard(#[expect(dead_code, reason = "held for its drop")] WorkerGuard);

/// Starts logging.
///
/// # Errors
/// When `level` is no level and no tracing directive.
pub fn start(format: LogFormat, level: &str) -> Result<LogGuard, ConfigError> {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .parse(level)
        .map_err(|e| {
            ConfigError(format!(
                "LOG_LEVEL is {level:?}: {e}; it must be error, warn, info, debug or trace"
            ))
        })?
        // At debug level the client prints the parameters of statements: names and dates of people.
        .add_directive(directive("tokio_postgres=info")?)
        .add_directive(directive("postgres=info")?);
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
    Ok(LogGuard(guard))
}

fn directive(text: &str) -> Result<Directive, ConfigError> {
    text.parse()
        .map_err(|e| ConfigError(format!("{text}: {e}")))
}

//! Status lines for operators, on standard error whatever the log level is.

#[cfg(feature = "duckdb")]
use std::io::Write;

use tracing::Level;
use warrior_api::config::LogFormat;
use warrior_api::ops;
use warrior_api::serve::Running;

/// Prints status lines in the form that log lines have.
#[derive(Clone, Copy)]
pub(super) struct Output(pub(super) LogFormat);

impl Output {
    /// Whether lines are for people.
    #[cfg(feature = "duckdb")]
    pub(super) fn is_text(self) -> bool {
        self.0 == LogFormat::Text
    }

    pub(super) fn print_status(self, line: &str) {
        ops::say(self.0, Level::INFO, line);
    }

    pub(super) fn print_warning(self, line: &str) {
        ops::say(self.0, Level::WARN, line);
    }

    /// Prints what was found, or done, on standard output. It stays true where nobody reads it: the exit status is that of
    /// what was done.
    #[cfg(feature = "duckdb")]
    pub(super) fn print_result(self, text: &str) {
        if let Err(e) = writeln!(std::io::stdout().lock(), "{text}") {
            self.print_warning(&format!("standard output takes no more ({e}): {text}"));
        }
    }

    pub(super) fn print_listening(self, running: &Running) {
        self.print_status(&format!(
            "serving http://{} (admin: http://{}/ready); Ctrl-C stops",
            running.public, running.admin
        ));
    }
}

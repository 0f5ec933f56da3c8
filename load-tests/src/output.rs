//! Standard output and standard error: lines, and how figures are written in them.

use std::fmt;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use serde::Serialize;

/// Whether standard output belongs to a document, so that lines go to standard error.
static HAS_DOCUMENT: AtomicBool = AtomicBool::new(false);

/// Leaves standard output to one JSON document: from now on, lines go to standard error.
pub fn reserve_for_document() {
    HAS_DOCUMENT.store(true, Ordering::Relaxed);
}

/// Prints the document that standard output was reserved for.
///
/// # Errors
/// When it cannot be written: unlike a line, it is what was asked for.
pub fn print_document(document: &impl Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(document)?;
    writeln!(std::io::stdout(), "{text}").context("cannot write the document to standard output")
}

/// Prints a line. A reader that went away (`| head`) is no reason to end the run: its result is in
/// files, and its verdict in the exit code.
pub fn say(line: fmt::Arguments<'_>) {
    if HAS_DOCUMENT.load(Ordering::Relaxed) {
        writeln!(std::io::stderr(), "{line}").ok();
    } else {
        writeln!(std::io::stdout(), "{line}").ok();
    }
}

/// Prints why the program, or a part of its work, failed: one line with its chain of causes.
pub fn print_error(error: &anyhow::Error) {
    let path = std::env::current_exe().unwrap_or_default();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    eprintln!("{name}: {error:#}");
}

/// A text that somebody else wrote, as a part of one line: no line end or other control character of it ends a heading, an
/// item or a row.
pub(crate) fn one_line(text: &str) -> String {
    let is_end = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.replace(is_end, " ")
}

/// Microseconds as people read them.
pub fn micros(value: u64) -> String {
    match value {
        0..1_000 => format!("{value} us"),
        1_000..10_000 => format!("{:.2} ms", value as f64 / 1e3),
        10_000..1_000_000 => format!("{:.1} ms", value as f64 / 1e3),
        _ => format!("{:.2} s", value as f64 / 1e6),
    }
}

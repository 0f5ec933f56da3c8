//! Where a figure comes from: the command that gives it again.

/// The command line, with the program's name alone: its place says nothing.
pub(crate) fn command() -> String {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    format!("warrior-bench {}", arguments.join(" "))
}

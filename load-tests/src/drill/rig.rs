//! What a drill is done with: the programs, how they are put together, for how long, and what clients must bear.

use std::path::PathBuf;

/// The programs under test.
#[derive(Clone, Debug)]
pub struct Programs {
    /// `warrior-api`.
    pub server: PathBuf,
    /// Folder of PostgreSQL's programs; none takes the newest that the machine has.
    pub postgres: Option<PathBuf>,
    /// PgBouncer; none takes the machine's.
    pub pooler: Option<PathBuf>,
}

/// What a drill must be run with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing special.
    Nothing,
    /// Root, for namespaces of its own: packet filters and file systems in memory are of no effect outside of them.
    Isolation,
}

/// How the parts of a drill's stack are put together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rig {
    /// The fault proxy stands between the server and PgBouncer.
    pub proxied: bool,
    /// The server looks PgBouncer up by a name of the drill's own (`isolation` resolves it).
    pub named: bool,
    /// Variables of the server.
    pub variables: &'static [(&'static str, &'static str)],
    /// Lines of sh before the server is executed in the same process.
    pub before: Option<&'static str>,
    /// Lines of sh when the stack is gone, which take back what those before did.
    pub after: Option<&'static str>,
}

/// Requests that may stay without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// None: the server lives throughout.
    None,
    /// Those whose connection was refused: nothing was sent.
    Refused,
    /// Those, and those that were cut: the server is killed.
    Cut,
    /// All, however late: what is sent is more than can be answered, or what stands in between holds connections.
    Any,
}

/// How long drills take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// Minutes in all.
    Quick,
    /// As long as the full table asks for.
    Full,
}

impl Length {
    /// One of two.
    pub fn of<T>(self, quick: T, full: T) -> T {
        match self {
            Length::Quick => quick,
            Length::Full => full,
        }
    }
}

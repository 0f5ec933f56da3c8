//! What a drill is done with: how the programs are put together, for how long, and what clients must bear.

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
    /// The drill puts HAProxy before servers of its own.
    pub balanced: bool,
    /// Variables of the server.
    pub variables: &'static [(&'static str, &'static str)],
    /// Lines of sh before the server is executed in the same process.
    pub before: Option<&'static str>,
    /// Bytes of memory that the server may use, by a control group.
    pub memory_max: Option<u64>,
}

impl Rig {
    /// The server on PgBouncer, with nothing in between.
    pub(super) const PLAIN: Rig = Rig {
        proxied: false,
        named: false,
        balanced: false,
        variables: &[],
        before: None,
        memory_max: None,
    };
    pub(super) const BALANCED: Rig = Rig {
        balanced: true,
        ..Rig::PLAIN
    };
    pub(super) const PROXIED: Rig = Rig {
        proxied: true,
        ..Rig::PLAIN
    };
    pub(super) const NAMED: Rig = Rig {
        named: true,
        ..Rig::PLAIN
    };
    pub(super) const FEW_CREATORS: Rig = Rig {
        variables: &[("WORKERS_CREATE", "2")],
        ..Rig::PROXIED
    };
    pub(super) const MANY_WORKERS: Rig = Rig {
        variables: &[("WORKERS", "48")],
        ..Rig::PLAIN
    };
    pub(super) const DRAINING: Rig = Rig {
        variables: &[("DRAIN_DELAY_MS", "500")],
        ..Rig::PLAIN
    };
    pub(super) const FEW_DESCRIPTORS: Rig = Rig {
        before: Some("exec >&-; ulimit -n 256"),
        ..Rig::PLAIN
    };
    /// With the variables of docker-compose.yml, and heads that may wait, so that slow readers stay.
    pub(super) const SMALL_MEMORY: Rig = Rig {
        variables: &[
            ("WORKERS", "3"),
            ("MAX_CONNECTIONS", "400"),
            ("HEAD_TIMEOUT_MS", "60000"),
        ],
        memory_max: Some(64 << 20),
        ..Rig::PLAIN
    };
    /// With the variables of docker-compose.yml but for its places: 409 connections fit into 64 MiB.
    pub(super) const LITTLE_MEMORY: Rig = Rig {
        variables: &[("WORKERS", "3")],
        ..Rig::SMALL_MEMORY
    };
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

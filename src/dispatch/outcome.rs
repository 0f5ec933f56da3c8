//! Outcomes of a request that has no result: not done, unknown or rejected.

/// Why a request has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Certainly not executed, and never will be.
    NotDone(Reason),
    /// Executed or not: unknown as yet.
    Unknown,
    /// The database refused the data itself; nothing was stored.
    Rejected,
}

/// Why a request was certainly not executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Load shedding: the lane's queue was full.
    QueueFull,
    /// Load shedding: no memory is left for the request among those that wait, or for its answer among those that
    /// clients have not taken yet.
    NoMemory,
    /// Load shedding: the request would have waited beyond its deadline.
    TooLate,
    /// Priority load shedding: creates, finds or their upkeep go before this search.
    LowPriority,
    /// The database cannot be reached: the circuit breaker is open, or the request waited for it until its deadline.
    DatabaseGone,
    /// The request waited until its deadline.
    Deadline,
    /// The database undid it, twice.
    RolledBack,
    /// The statement took longer than it may.
    TooCostly,
    /// A read met an error that another attempt is likely to meet again.
    ReadFailed,
    /// Code of this server panicked before the request was sent: its worker, or the front end.
    Panicked,
    /// The lane is closed, since the server stops.
    ShuttingDown,
}

impl Reason {
    /// The number of reasons, of which this one is the last.
    pub const COUNT: usize = Self::ShuttingDown as usize + 1;

    /// Reasons of load shedding: a lane gives them before it takes a request in, and for want of memory.
    pub(super) const REFUSALS: [Self; 6] = [
        Self::QueueFull,
        Self::NoMemory,
        Self::TooLate,
        Self::LowPriority,
        Self::DatabaseGone,
        Self::ShuttingDown,
    ];

    /// The name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::NoMemory => "no_memory",
            Self::TooLate => "too_late",
            Self::LowPriority => "low_priority",
            Self::DatabaseGone => "database_gone",
            Self::Deadline => "deadline",
            Self::RolledBack => "rolled_back",
            Self::TooCostly => "too_costly",
            Self::ReadFailed => "read_failed",
            Self::Panicked => "panicked",
            Self::ShuttingDown => "shutting_down",
        }
    }
}

//! The catalogue: every drill, in the order in which they run. A is PostgreSQL, B is PgBouncer, C the network between
//! them and the server, D the server and its clients, F what once went wrong.

use super::kind::Drill;
use super::rig::{Rig, Unanswered};
use super::{balanced, clients, disk, little_memory, lost_replies, network, panics, pooler};
use super::{postgres, recovery, server, sizes, slow_readers, stop, storm, supervised, twins};

/// All drills.
pub(super) const ALL: &[Drill] = &[
    Drill::plain(
        "A1",
        "backends terminated, ten a second",
        (1, 1),
        postgres::backends_terminated,
    ),
    Drill::plain(
        "A2",
        "kill -9 of a backend",
        (1, 4),
        postgres::backend_killed,
    ),
    Drill::plain(
        "A3",
        "kill -9 of the postmaster",
        (1, 3),
        postgres::postmaster_killed,
    ),
    Drill::plain(
        "A3-immediate",
        "immediate shutdown of PostgreSQL",
        (1, 1),
        postgres::stopped_immediately,
    ),
    Drill::plain(
        "A3-fast",
        "fast shutdown of PostgreSQL",
        (1, 1),
        postgres::stopped_fast,
    ),
    Drill::plain("A4", "long crash recovery", (1, 1), recovery::long),
    Drill::plain("A5", "table locked", (1, 2), postgres::table_locked),
    Drill::plain(
        "A6",
        "backend stopped in mid-statement",
        (1, 1),
        postgres::backend_stopped,
    ),
    Drill::plain("A8-wal", "disk of the WAL full", (1, 1), disk::log_full).isolated(),
    Drill::plain(
        "A8-data",
        "disk of the table full",
        (1, 1),
        disk::table_full,
    )
    .isolated(),
    Drill::plain(
        "A10",
        "max_connections used up",
        (1, 2),
        postgres::connections_used_up,
    ),
    Drill::plain(
        "A10-password",
        "password changed",
        (1, 1),
        postgres::password_changed,
    ),
    Drill::plain("B1", "PgBouncer stopped (SIGSTOP)", (1, 2), pooler::stopped),
    Drill::plain("B2", "kill -9 of PgBouncer", (1, 2), pooler::killed),
    Drill::plain("B2-int", "SIGINT to PgBouncer", (1, 1), pooler::interrupted),
    Drill::plain(
        "B2-term",
        "SIGTERM to PgBouncer",
        (1, 1),
        pooler::terminated,
    ),
    Drill::plain("B3", "PAUSE, short and long", (1, 1), pooler::paused),
    Drill::plain(
        "B4",
        "RECONNECT, RELOAD, KILL, DISABLE",
        (1, 1),
        pooler::commanded,
    ),
    Drill::plain(
        "B5",
        "PostgreSQL down behind PgBouncer",
        (1, 1),
        pooler::without_postgres,
    ),
    Drill::plain(
        "B6",
        "one connection for 200 clients; max_client_conn of 2",
        (1, 1),
        sizes::one_connection,
    ),
    Drill::plain(
        "B7",
        "two connections for 48 workers",
        (1, 1),
        sizes::two_connections,
    )
    .on(Rig::MANY_WORKERS),
    Drill::plain(
        "B8",
        "clients hang up in mid-query",
        (1, 1),
        clients::vanish,
    ),
    Drill::plain(
        "C1",
        "cut before the reply",
        (1, 1),
        network::cut_before_reply,
    )
    .on(Rig::PROXIED),
    Drill::plain(
        "C2",
        "cut before ReadyForQuery",
        (1, 1),
        network::cut_before_ready,
    )
    .on(Rig::PROXIED),
    Drill::plain(
        "C3",
        "cut or reset before the statement; replies byte by byte",
        (1, 1),
        network::cut_before_statement,
    )
    .on(Rig::PROXIED),
    Drill::plain(
        "C4",
        "packets dropped: both ways, there, back",
        (1, 1),
        network::packets_dropped,
    )
    .isolated(),
    Drill::plain(
        "C5",
        "startup never answered",
        (1, 1),
        network::startup_unanswered,
    )
    .on(Rig::PROXIED),
    Drill::plain(
        "C5-name",
        "the pooler's name moves",
        (1, 1),
        network::name_moved,
    )
    .isolated()
    .on(Rig::NAMED),
    Drill::plain(
        "C6",
        "200 ms more, give or take 100",
        (1, 1),
        network::delayed,
    )
    .on(Rig::PROXIED),
    Drill::plain(
        "C6-loss",
        "the same, and 5 % of the packets lost",
        (1, 1),
        network::lossy,
    )
    .isolated()
    .on(Rig::PROXIED),
    Drill::plain("D1", "kill -9 of the server", (1, 2), server::killed).leaving(Unanswered::Cut),
    Drill::plain(
        "D1-balanced",
        "kill -9 of a server behind the balancer",
        (1, 1),
        balanced::one_killed,
    )
    .isolated()
    .on(Rig::BALANCED),
    Drill::plain("D2", "SIGTERM to the server", (1, 1), server::restarted)
        .on(Rig::DRAINING)
        .leaving(Unanswered::Refused),
    Drill::plain(
        "D2-twice",
        "a second SIGTERM while the server drains",
        (1, 1),
        stop::twice,
    )
    .leaving(Unanswered::Cut),
    Drill::plain(
        "D3",
        "workers panic, before the send and after it",
        (1, 1),
        panics::of_workers,
    )
    .leaving(Unanswered::Refused),
    Drill::plain(
        "D4",
        "clients hang up while they wait for a lock",
        (1, 1),
        clients::vanish_while_queued,
    ),
    Drill::plain(
        "D5",
        "256 descriptors, no standard output, 300 silent connections",
        (1, 1),
        clients::without_descriptors,
    )
    .on(Rig::FEW_DESCRIPTORS),
    Drill::plain(
        "D5-idle",
        "thousands of silent connections",
        (1, 1),
        clients::idle_thousands,
    ),
    Drill::plain(
        "D5-memory",
        "bodies that never end, then crowds, in 64 MiB",
        (1, 1),
        little_memory::taken_by_clients,
    )
    .isolated()
    .on(Rig::LITTLE_MEMORY),
    Drill::plain("D6", "three times what it carries", (1, 1), storm::overload),
    Drill::plain(
        "D10",
        "one key at two servers at once",
        (1, 1),
        twins::same_key,
    ),
    Drill::plain(
        "D10-first",
        "server started before its database",
        (1, 1),
        server::started_first,
    )
    .leaving(Unanswered::Refused),
    Drill::plain(
        "D10-stopped",
        "a server behind the balancer stopped (SIGSTOP)",
        (1, 1),
        balanced::one_stopped,
    )
    .isolated()
    .on(Rig::BALANCED),
    Drill::plain(
        "F1",
        "replies lost on each connection that creates",
        (1, 1),
        lost_replies::each_worker,
    )
    .on(Rig::FEW_CREATORS),
    Drill::plain(
        "F1-late",
        "statements that arrive after their deadline",
        (1, 1),
        lost_replies::late,
    )
    .on(Rig::FEW_CREATORS),
    Drill::plain(
        "F2",
        "300 slow readers of 1 MB answers, in 64 MiB",
        (1, 1),
        slow_readers::many,
    )
    .isolated()
    .on(Rig::SMALL_MEMORY),
    Drill::plain(
        "F4",
        "read only left in pooled connections",
        (1, 1),
        pooler::setting_left,
    ),
    Drill::plain(
        "F6",
        "restarts of PostgreSQL fail under `up`",
        (1, 1),
        supervised::port_taken,
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_drill_has_a_name_and_a_fault_of_its_own() {
        let names: HashSet<&str> = ALL.iter().map(|drill| drill.id).collect();
        let faults: HashSet<&str> = ALL.iter().map(|drill| drill.fault).collect();
        assert_eq!((names.len(), faults.len()), (ALL.len(), ALL.len()));
    }
}

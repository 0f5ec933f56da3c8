//! The catalogue: every drill, in the order in which they run. A is PostgreSQL, B is PgBouncer, C the network between
//! them and the server, D the server and its clients, F what once went wrong.

use super::kind::Drill;
use super::rig::{Needs, Rig, Unanswered};
use super::scene::Scene;
use super::{clients, disk, lost_replies, network, pooler, postgres, recovery, server, sizes};
use super::{slow_readers, storm, supervised, twins};

/// A drill that needs nothing special, on a plain stack, whose server lives throughout.
const fn plain(
    id: &'static str,
    fault: &'static str,
    rounds: (u32, u32),
    breaks: fn(&mut Scene) -> anyhow::Result<()>,
) -> Drill {
    Drill {
        id,
        fault,
        needs: Needs::Nothing,
        rig: PLAIN,
        unanswered: Unanswered::None,
        rounds,
        breaks,
    }
}

impl Drill {
    const fn isolated(self) -> Drill {
        Drill {
            needs: Needs::Isolation,
            ..self
        }
    }

    const fn on(self, rig: Rig) -> Drill {
        Drill { rig, ..self }
    }

    const fn leaving(self, unanswered: Unanswered) -> Drill {
        Drill { unanswered, ..self }
    }
}

const PLAIN: Rig = Rig {
    proxied: false,
    named: false,
    variables: &[],
    before: None,
    after: None,
};
const PROXIED: Rig = Rig {
    proxied: true,
    ..PLAIN
};
const NAMED: Rig = Rig {
    named: true,
    ..PLAIN
};
const FEW_CREATORS: Rig = Rig {
    variables: &[("WORKERS_CREATE", "2")],
    ..PROXIED
};
const MANY_WORKERS: Rig = Rig {
    variables: &[("WORKERS", "48")],
    ..PLAIN
};
const DRAINING: Rig = Rig {
    variables: &[("DRAIN_DELAY_MS", "500")],
    ..PLAIN
};
const FEW_DESCRIPTORS: Rig = Rig {
    before: Some("exec >&-; ulimit -n 256"),
    ..PLAIN
};
const SMALL_MEMORY: Rig = Rig {
    variables: &slow_readers::VARIABLES,
    before: Some(include_str!("slow_readers/enter_group.sh")),
    after: Some(include_str!("slow_readers/remove_group.sh")),
    ..PLAIN
};

/// All drills.
pub(super) const ALL: &[Drill] = &[
    plain(
        "A1",
        "backends terminated, ten a second",
        (1, 1),
        postgres::backends_terminated,
    ),
    plain(
        "A2",
        "kill -9 of a backend",
        (1, 4),
        postgres::backend_killed,
    ),
    plain(
        "A3",
        "kill -9 of the postmaster",
        (1, 3),
        postgres::postmaster_killed,
    ),
    plain(
        "A3-immediate",
        "immediate shutdown of PostgreSQL",
        (1, 1),
        postgres::stopped_immediately,
    ),
    plain(
        "A3-fast",
        "fast shutdown of PostgreSQL",
        (1, 1),
        postgres::stopped_fast,
    ),
    plain("A4", "long crash recovery", (1, 1), recovery::long),
    plain("A5", "table locked", (1, 2), postgres::table_locked),
    plain(
        "A6",
        "backend stopped in mid-statement",
        (1, 1),
        postgres::backend_stopped,
    ),
    plain("A8-wal", "disk of the WAL full", (1, 1), disk::log_full).isolated(),
    plain(
        "A8-data",
        "disk of the table full",
        (1, 1),
        disk::table_full,
    )
    .isolated(),
    plain(
        "A10",
        "max_connections used up",
        (1, 2),
        postgres::connections_used_up,
    ),
    plain(
        "A10-password",
        "password changed",
        (1, 1),
        postgres::password_changed,
    ),
    plain("B1", "PgBouncer stopped (SIGSTOP)", (1, 2), pooler::stopped),
    plain("B2", "kill -9 of PgBouncer", (1, 2), pooler::killed),
    plain("B2-int", "SIGINT to PgBouncer", (1, 1), pooler::interrupted),
    plain(
        "B2-term",
        "SIGTERM to PgBouncer",
        (1, 1),
        pooler::terminated,
    ),
    plain("B3", "PAUSE, short and long", (1, 1), pooler::paused),
    plain(
        "B4",
        "RECONNECT, RELOAD, KILL, DISABLE",
        (1, 1),
        pooler::commanded,
    ),
    plain(
        "B5",
        "PostgreSQL down behind PgBouncer",
        (1, 1),
        pooler::without_postgres,
    ),
    plain(
        "B6",
        "one connection for 200 clients; max_client_conn of 2",
        (1, 1),
        sizes::one_connection,
    ),
    plain(
        "B7",
        "two connections for 48 workers",
        (1, 1),
        sizes::two_connections,
    )
    .on(MANY_WORKERS),
    plain(
        "B8",
        "clients hang up in mid-query",
        (1, 1),
        clients::vanish,
    ),
    plain(
        "C1",
        "cut before the reply",
        (1, 1),
        network::cut_before_reply,
    )
    .on(PROXIED),
    plain(
        "C2",
        "cut before ReadyForQuery",
        (1, 1),
        network::cut_before_ready,
    )
    .on(PROXIED),
    plain(
        "C3",
        "cut or reset before the statement; replies byte by byte",
        (1, 1),
        network::cut_before_statement,
    )
    .on(PROXIED),
    plain(
        "C4",
        "packets dropped: both ways, there, back",
        (1, 1),
        network::packets_dropped,
    )
    .isolated(),
    plain(
        "C5",
        "startup never answered",
        (1, 1),
        network::startup_unanswered,
    )
    .on(PROXIED),
    plain(
        "C5-name",
        "the pooler's name moves",
        (1, 1),
        network::name_moved,
    )
    .isolated()
    .on(NAMED),
    plain(
        "C6",
        "200 ms more, give or take 100",
        (1, 1),
        network::delayed,
    )
    .on(PROXIED),
    plain(
        "C6-loss",
        "the same, and 5 % of the packets lost",
        (1, 1),
        network::lossy,
    )
    .isolated()
    .on(PROXIED),
    plain("D1", "kill -9 of the server", (1, 2), server::killed).leaving(Unanswered::Cut),
    plain("D2", "SIGTERM to the server", (1, 1), server::restarted)
        .on(DRAINING)
        .leaving(Unanswered::Refused),
    plain(
        "D4",
        "clients hang up while they wait for a lock",
        (1, 1),
        clients::vanish_while_queued,
    ),
    plain(
        "D5",
        "256 descriptors, no standard output, 300 silent connections",
        (1, 1),
        clients::without_descriptors,
    )
    .on(FEW_DESCRIPTORS),
    plain(
        "D5-idle",
        "thousands of silent connections",
        (1, 1),
        clients::idle_thousands,
    ),
    plain("D6", "three times what it carries", (1, 1), storm::overload),
    plain(
        "D10",
        "one key at two servers at once",
        (1, 1),
        twins::same_key,
    ),
    plain(
        "D10-first",
        "server started before its database",
        (1, 1),
        server::started_first,
    )
    .leaving(Unanswered::Refused),
    plain(
        "F1",
        "replies lost on each connection that creates",
        (1, 1),
        lost_replies::each_worker,
    )
    .on(FEW_CREATORS),
    plain(
        "F1-late",
        "statements that arrive after their deadline",
        (1, 1),
        lost_replies::late,
    )
    .on(FEW_CREATORS),
    plain(
        "F2",
        "300 slow readers of 1 MB answers, in 64 MiB",
        (1, 1),
        slow_readers::many,
    )
    .isolated()
    .on(SMALL_MEMORY),
    plain(
        "F4",
        "read only left in pooled connections",
        (1, 1),
        pooler::setting_left,
    ),
    plain(
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

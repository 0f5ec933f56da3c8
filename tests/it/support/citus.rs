//! Citus in the place of PostgreSQL, for the tests on the plain schema: a coordinator and two workers, each a throw-away
//! stack. `TEST_CITUS_BIN` names the programs of a PostgreSQL that has the extension; without it, nothing of this is used.

use std::ffi::OsStr;
use std::sync::OnceLock;

use warrior_api::store::schema;
use warrior_stack::Endpoints;

use super::{Fresh, create, create_named, log_in};
use crate::supervisor::{Supervisor, stack};

const SETTINGS: [&str; 5] = [
    "alter system set shared_preload_libraries = 'citus'",
    "alter system set max_prepared_transactions = 200",
    // A daemon for each database; none is dropped.
    "alter system set max_worker_processes = 300",
    "alter system set max_connections = 500",
    "alter role warrior_owner set citus.shard_count = 4",
];

pub(super) struct Citus {
    /// The coordinator, and two workers: how to log in. Citus gives every node the passwords of its coordinator.
    endpoints: [Endpoints; 3],
    /// They stop with it.
    _nodes: [Supervisor; 3],
}

/// The cluster of all tests of this process, where there is to be one.
#[expect(
    clippy::disallowed_methods,
    reason = "a setting of the tests themselves"
)]
pub(super) fn cluster() -> Option<&'static Citus> {
    static CITUS: OnceLock<Option<Citus>> = OnceLock::new();
    let start = || std::env::var_os("TEST_CITUS_BIN").map(|bin| Citus::start(&bin));
    CITUS.get_or_init(start).as_ref()
}

impl Citus {
    fn start(bin: &OsStr) -> Self {
        let nodes = [node(bin), node(bin), node(bin)];
        let data = &nodes[0].endpoints.data;
        let endpoints = nodes.each_ref().map(|node| Endpoints {
            data: data.clone(),
            ..node.endpoints.clone()
        });
        for worker in &nodes[1..] {
            let mut admin = log_in(&worker.endpoints.superuser("postgres")).unwrap();
            for (role, password) in passwords(&endpoints[0]) {
                let set = format!("alter role {role} password '{password}'");
                admin.batch_execute(&set).unwrap();
            }
        }
        Self {
            endpoints,
            _nodes: nodes,
        }
    }

    /// A database on every node, with the plain schema spread over the workers.
    pub(super) fn plain_database(&self) -> Fresh {
        let [coordinator, workers @ ..] = &self.endpoints;
        let database = create(coordinator, "template0");
        let name = database.name();
        for worker in workers {
            create_named(worker, name, "template0");
        }
        for node in &self.endpoints {
            let mut admin = log_in(&node.superuser(name)).unwrap();
            admin.batch_execute("create extension citus").unwrap();
        }
        let mut admin = database.superuser();
        for (role, password) in passwords(coordinator) {
            let insert =
                format!("insert into pg_dist_authinfo values (0, '{role}', 'password={password}')");
            admin.batch_execute(&insert).unwrap();
        }
        let port = |node: &Endpoints| i32::from(node.postgres.port);
        let own = "select citus_set_coordinator_host('127.0.0.1', $1)";
        admin.execute(own, &[&port(coordinator)]).unwrap();
        for worker in workers {
            let add = "select citus_add_node('127.0.0.1', $1)";
            admin.execute(add, &[&port(worker)]).unwrap();
        }
        let role = schema::RUNTIME_ROLE;
        let applied = schema::apply_plain(&mut database.owner(), role, true, &mut |_| {});
        applied.expect("schema apply --plain --distribute");
        database
    }
}

/// The roles by which nodes log in to each other, with their passwords.
fn passwords(node: &Endpoints) -> [(String, String); 4] {
    let database = "postgres";
    [
        node.superuser(database),
        node.owner(database),
        node.runtime(database),
        node.monitor(database),
    ]
    .map(|login| {
        let password = login.password.expect("each role has one").read().unwrap();
        (login.user, password.expose().to_owned())
    })
}

fn node(bin: &OsStr) -> Supervisor {
    let mut command = stack();
    let command = command.env("POSTGRES_BIN", bin).arg("--ephemeral");
    let mut node = Supervisor::start(command).expect("a node of Citus starts");
    let mut admin = log_in(&node.endpoints.superuser("postgres")).unwrap();
    for setting in SETTINGS {
        admin.batch_execute(setting).unwrap();
    }
    drop(admin);
    node.command("stop postgres");
    node.command("start postgres");
    node
}

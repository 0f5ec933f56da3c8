//! One throw-away stack for the whole run, and a database of its own for each test.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use postgres::Client;
use warrior_api::config::Database;
use warrior_api::stack::Endpoints;
use warrior_api::store::{connect, connect_direct, schema};

/// The child stops its stack when its standard input ends, so also when the tests are killed.
struct Shared {
    endpoints: Endpoints,
    _child: Child,
    _input: ChildStdin,
    /// A database cannot be copied while somebody else is connected to it.
    copying: Mutex<()>,
}

/// A database of one test's own.
pub(crate) struct Fresh {
    name: String,
    endpoints: &'static Endpoints,
}

/// An empty database, owned by `warrior_owner`.
pub(crate) fn empty_database() -> Fresh {
    create("template0")
}

/// A database with the current schema and no warriors.
pub(crate) fn fresh_database() -> Fresh {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    let template = TEMPLATE.get_or_init(|| {
        let template = empty_database();
        schema::apply(&mut template.owner(), &mut |_| {}).expect("schema apply");
        template.name
    });
    create(template)
}

impl Fresh {
    pub(crate) fn owner(&self) -> Client {
        connect_direct(&self.owner_login()).expect("login as warrior_owner")
    }

    pub(crate) fn owner_login(&self) -> Database {
        self.endpoints.owner(&self.name)
    }

    pub(crate) fn superuser(&self) -> Client {
        connect(&self.superuser_login()).expect("login as superuser")
    }

    pub(crate) fn superuser_login(&self) -> Database {
        self.endpoints.superuser(&self.name)
    }

    /// As the API does, but around PgBouncer.
    pub(crate) fn runtime(&self) -> Client {
        connect(&self.endpoints.runtime_direct(&self.name)).expect("login as warrior")
    }

    /// As the API does.
    pub(crate) fn pooled(&self) -> Client {
        connect(&self.pooled_login()).expect("login as warrior through PgBouncer")
    }

    pub(crate) fn pooled_login(&self) -> Database {
        self.endpoints.runtime(&self.name)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

fn create(template: &str) -> Fresh {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let shared = shared();
    let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut admin = connect(&shared.endpoints.superuser("postgres")).expect("login as superuser");
    let _one_at_a_time = shared.copying.lock().unwrap_or_else(|e| e.into_inner());
    admin
        .batch_execute(&format!(
            "create database {name} owner warrior_owner template {template}"
        ))
        .expect("create database");
    Fresh {
        name,
        endpoints: &shared.endpoints,
    }
}

fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_warrior-api"))
            .args(["stack", "--ephemeral"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("start the stack");
        let input = child.stdin.take().expect("standard input is a pipe");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("standard output is a pipe"))
            .read_line(&mut line)
            .expect("the stack's first line");
        let running: serde_json::Value = serde_json::from_str(&line).expect("a line of JSON");
        let endpoints = serde_json::from_value(running["running"].clone()).expect("endpoints");
        Shared {
            endpoints,
            _child: child,
            _input: input,
            copying: Mutex::new(()),
        }
    })
}

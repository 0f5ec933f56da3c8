//! Test fixtures: one throw-away stack for the whole run, and a database of its own for each test.

mod citus;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use postgres::Client;
use warrior_api::config::{Database, Monitoring};
use warrior_api::store::schema::{self, Applied, SchemaError};
use warrior_api::store::{LoginError, connect, connect_direct};
use warrior_stack::Endpoints;

use self::citus::Citus;
use crate::supervisor::shared;

/// A lock around copies: a database cannot be copied while a session is connected to it.
static COPYING: Mutex<()> = Mutex::new(());

const END_CONNECTIONS: &str =
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1";

/// A database of one test's own. A drop ends the connections, which would otherwise stay in the pooler and
/// use up `max_connections`; the database itself goes with the stack.
pub(crate) struct Fresh {
    name: String,
    endpoints: Endpoints,
}

/// The end of threads that go on until a flag is up. A drop raises it: an assertion that fails beside them ends them,
/// too, where their scope would wait for ever.
pub(crate) struct Ending<'f>(pub(crate) &'f AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// An empty database, owned by `warrior_owner`.
pub(crate) fn empty_database() -> Fresh {
    create(shared(), "template0")
}

/// A database with the current schema and no warriors.
pub(crate) fn fresh_database() -> Fresh {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    let template = TEMPLATE.get_or_init(|| {
        let template = empty_database();
        schema::apply(&mut template.owner(), &mut |_| {}).expect("schema apply");
        template.name.clone()
    });
    create(shared(), template)
}

/// As [`plain_database`], on [Citus](citus) where there is one: for what holds wherever the schema is.
pub(crate) fn plain_database_anywhere() -> Fresh {
    citus::cluster().map_or_else(plain_database, Citus::plain_database)
}

/// As [`fresh_database`], with the plain schema.
pub(crate) fn plain_database() -> Fresh {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    let template = TEMPLATE.get_or_init(|| {
        let template = empty_database();
        apply_plain(&mut template.owner()).expect("schema apply --plain");
        template.name.clone()
    });
    create(shared(), template)
}

/// As [`fresh_database`], in a stack of the test's own.
pub(crate) fn fresh_database_on(endpoints: &Endpoints) -> Fresh {
    let database = create(endpoints, "template0");
    schema::apply(&mut database.owner(), &mut |_| {}).expect("schema apply");
    database
}

/// As [`plain_database`], in a stack of the test's own.
pub(crate) fn plain_database_on(endpoints: &Endpoints) -> Fresh {
    let database = create(endpoints, "template0");
    apply_plain(&mut database.owner()).expect("schema apply --plain");
    database
}

/// `schema apply --plain`.
pub(crate) fn apply_plain(owner: &mut Client) -> Result<Applied, SchemaError> {
    schema::apply_plain(owner, schema::RUNTIME_ROLE, false, &mut |_| {})
}

impl Fresh {
    pub(crate) fn owner(&self) -> Client {
        log_in_directly(&self.owner_login()).expect("login as warrior_owner")
    }

    pub(crate) fn owner_login(&self) -> Database {
        self.endpoints.owner(&self.name)
    }

    pub(crate) fn superuser(&self) -> Client {
        log_in(&self.superuser_login()).expect("login as superuser")
    }

    pub(crate) fn superuser_login(&self) -> Database {
        self.endpoints.superuser(&self.name)
    }

    /// The login of the API without a pooler.
    pub(crate) fn direct_login(&self) -> Database {
        self.endpoints.runtime_direct(&self.name)
    }

    /// A session of the API's role, around PgBouncer.
    pub(crate) fn runtime(&self) -> Client {
        log_in(&self.endpoints.runtime_direct(&self.name)).expect("login as warrior")
    }

    /// A session of the API's role, through PgBouncer.
    pub(crate) fn pooled(&self) -> Client {
        log_in(&self.pooled_login()).expect("login as warrior through PgBouncer")
    }

    pub(crate) fn pooled_login(&self) -> Database {
        self.endpoints.runtime(&self.name)
    }

    /// Statistics of this database and its pooler, sampled often.
    pub(crate) fn monitoring(&self) -> Monitoring {
        let (server, console) = (
            self.endpoints.monitor(&self.name),
            self.endpoints.pooler_statistics(),
        );
        let pooled_user = self.pooled_login().user;
        Monitoring::new(server, console, pooled_user, Duration::from_millis(200))
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        // A failed test may have broken the stack; that test's message is the one to read.
        let _ = connect(&self.endpoints.superuser("postgres"))
            .map(|mut admin| admin.execute(END_CONNECTIONS, &[&self.name]));
    }
}

/// A login of the test itself, with time for a busy machine; the server under test keeps its own limit. PgBouncer refuses
/// a client whose login at PostgreSQL takes longer than `query_wait_timeout`, so that the client has to ask again.
pub(crate) fn log_in(database: &Database) -> Result<Client, LoginError> {
    let database = patient(database);
    let deadline = Instant::now() + database.connect_timeout;
    loop {
        match connect(&database) {
            Err(e) if e.to_string().contains("query_wait_timeout") && Instant::now() < deadline => {
            }
            outcome => return outcome,
        }
    }
}

/// As [`log_in`], for the schema commands.
pub(crate) fn log_in_directly(database: &Database) -> Result<Client, LoginError> {
    connect_direct(&patient(database))
}

fn patient(database: &Database) -> Database {
    Database {
        connect_timeout: Duration::from_secs(20),
        ..database.clone()
    }
}

fn create(endpoints: &Endpoints, template: &str) -> Fresh {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    create_named(endpoints, &name, template);
    Fresh {
        name,
        endpoints: endpoints.clone(),
    }
}

fn create_named(endpoints: &Endpoints, name: &str, template: &str) {
    let mut admin = log_in(&endpoints.superuser("postgres")).expect("login as superuser");
    let _one_at_a_time = COPYING.lock().unwrap_or_else(|e| e.into_inner());
    admin
        .batch_execute(&format!(
            "create database {name} owner warrior_owner template {template}"
        ))
        .expect("create database");
}

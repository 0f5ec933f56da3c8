//! One database for each test, cloned from a template that has the schema.

use std::process::Command;
use std::sync::OnceLock;

use warrior_api::config::{Database, SecretSource};
use warrior_api::stack::{DATABASE, Endpoints};

use crate::supervisor::{WARRIOR_API, connect, shared};

const TEMPLATE: &str = "warrior_template";

/// A fresh database on the shared stack. Dropping it ends its connections, which would otherwise stay
/// in the pooler and use up `max_connections`; the database itself goes with the stack.
pub(crate) struct TestDatabase {
    pub(crate) endpoints: &'static Endpoints,
    pub(crate) name: String,
}

impl TestDatabase {
    /// With the schema, and empty.
    pub(crate) fn with_schema() -> Self {
        static MADE: OnceLock<()> = OnceLock::new();
        MADE.get_or_init(|| {
            apply_schema(shared());
            clone_as(DATABASE, TEMPLATE);
        });
        Self::from_template(TEMPLATE)
    }

    /// With the roles' rights and nothing else.
    pub(crate) fn without_schema() -> Self {
        static MADE: OnceLock<()> = OnceLock::new();
        const EMPTY: &str = "empty_template";
        MADE.get_or_init(|| clone_as("template0", EMPTY));
        Self::from_template(EMPTY)
    }

    /// Through PgBouncer, as the serving role.
    pub(crate) fn runtime(&self) -> Database {
        self.endpoints.runtime(&self.name)
    }

    /// Directly, as the owner of the schema.
    pub(crate) fn owner(&self) -> Database {
        self.endpoints.owner(&self.name)
    }

    /// Directly, as PostgreSQL's superuser.
    pub(crate) fn superuser(&self) -> Database {
        self.endpoints.superuser(&self.name)
    }

    fn from_template(template: &str) -> Self {
        let name = format!("t_{}", uuid::Uuid::new_v4().simple());
        clone_as(template, &name);
        Self {
            endpoints: shared(),
            name,
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // At the end of the whole run the stack may already be gone.
        let _ = connect(&self.endpoints.superuser("postgres"))
            .and_then(|mut client| client.execute(END_CONNECTIONS, &[&self.name]));
    }
}

const END_CONNECTIONS: &str =
    "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1";

/// Database names cannot be parameters; ours are made of letters, digits and underscores.
fn clone_as(template: &str, name: &str) {
    let mut client = connect(&shared().superuser("postgres")).expect("the shared stack runs");
    // The stack's own first query left a connection to its database in the pooler.
    client
        .execute(END_CONNECTIONS, &[&template])
        .expect("the superuser may end connections");
    client
        .batch_execute(&format!(
            "create database {name} template {template} owner warrior_owner"
        ))
        .expect("the template is in nobody's use");
    if template == "template0" {
        connect(&shared().superuser(name))
            .and_then(|mut client| {
                client.batch_execute("grant usage on schema public to warrior, warrior_monitor")
            })
            .expect("the superuser may grant");
    }
}

/// As a user would.
fn apply_schema(endpoints: &Endpoints) {
    let owner = endpoints.owner(DATABASE);
    let Some(SecretSource::File(password)) = owner.password else {
        panic!("the stack keeps its passwords in files");
    };
    let output = Command::new(WARRIOR_API)
        .env_clear()
        .env("POSTGRES_HOST", &owner.host)
        .env("POSTGRES_PORT", owner.port.to_string())
        .env("POSTGRES_DB", &owner.dbname)
        .env("POSTGRES_OWNER_PASSWORD_FILE", password)
        .current_dir("/")
        .args(["schema", "apply"])
        .output()
        .expect("the program under test runs");
    assert!(
        output.status.success(),
        "schema apply: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

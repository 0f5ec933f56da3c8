//! The sentence about what binds, on a real stack: each limit is made to bind, and the server must name that one.
//!
//! The stack is one of this module's own, and each test has it alone: PostgreSQL's statistics are those of the whole
//! server, so that neighbours would be judged, too. Statements that wait do so in a trigger of the test's, which takes no
//! core: how busy the machine is must not decide what binds.

mod limits;
mod load;
mod page;
mod starved;

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use serde_json::Value;
use warrior_api::config::{Database, SecretSource};
use warrior_stack::Endpoints;

use crate::http::request;
use crate::program::{Program, from, serve};
use crate::supervisor::{Supervisor, eventually};
use crate::support::{Fresh, fresh_database_on};

/// Longest time until what binds is said: several windows of five seconds, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A trigger that waits without a core, as a slow network would, and before the statement has a lock that others could wait
/// for.
const SLEEPY: &str = "
    create function public.sleepy() returns trigger language plpgsql
        as 'begin perform pg_catalog.pg_sleep(0.1); return null; end';
    create trigger sleepy before insert on public.warrior for each statement execute function public.sleepy();";

/// The stack of this module, as long as a test has it.
struct Alone(MutexGuard<'static, Supervisor>);

impl Alone {
    fn take() -> Self {
        static STACK: OnceLock<Mutex<Supervisor>> = OnceLock::new();
        let stack = STACK.get_or_init(|| Mutex::new(Supervisor::throw_away()));
        Self(stack.lock().unwrap_or_else(|failed| {
            // A test that failed has left its sizes behind.
            let mut left = failed.into_inner();
            *left = Supervisor::throw_away();
            stack.clear_poison();
            left
        }))
    }

    fn endpoints(&self) -> &Endpoints {
        &self.0.endpoints
    }

    fn database(&self) -> Fresh {
        fresh_database_on(self.endpoints())
    }

    /// A server on this database, with its monitor; `sizes` are variables and their values.
    fn serve(&self, database: &Fresh, sizes: &[(&str, &str)]) -> Program {
        let mut command = serve();
        from(&mut command, &database.pooled_login());
        watching(&mut command, &self.endpoints().monitor(database.name()));
        command.env_remove("WORKERS").envs(sizes.iter().copied());
        let program = Program::start(&mut command);
        eventually("it is ready", || {
            request(program.admin, "GET", "/ready", &[], b"").status == 200
        });
        program
    }
}

/// Makes `command` watch PostgreSQL and PgBouncer as the role of this login, as often as it can.
fn watching<'c>(command: &'c mut Command, monitor: &Database) -> &'c mut Command {
    let password: &Path = match &monitor.password {
        Some(SecretSource::File(path)) => path,
        other => panic!("the stack keeps its passwords in files, not {other:?}"),
    };
    command
        .env("POSTGRES_DIRECT_HOST", &monitor.host)
        .env("POSTGRES_DIRECT_PORT", monitor.port.to_string())
        .env("POSTGRES_MONITOR_USER", &monitor.user)
        .env("POSTGRES_MONITOR_PASSWORD_FILE", password)
        .env("POSTGRES_MONITOR_INTERVAL_MS", "500")
}

fn figures(program: &Program) -> Value {
    request(program.admin, "GET", "/figures", &[], b"").json(200)
}

/// The sentence, once this limit is the one that is named.
fn says(program: &Program, limit: &str) -> String {
    says_one_of(program, &[limit]).1
}

/// The limit and the sentence, once one of these limits is named.
fn says_one_of(program: &Program, limits: &[&str]) -> (String, String) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let figures = figures(program);
        let text = |name: &str| figures["binds"][name].as_str().unwrap().to_owned();
        let (limit, sentence) = (text("limit"), text("sentence"));
        if limits.contains(&&*limit) {
            println!("{limit}: {sentence}");
            return (limit, sentence);
        }
        assert!(
            Instant::now() < deadline,
            "none of {limits:?} is named: {figures:#}"
        );
        // As often as the page asks.
        std::thread::sleep(Duration::from_secs(1));
    }
}

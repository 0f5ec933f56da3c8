//! `warrior-api doctor`: breakages of a real stack, each found under its own name, mended, and found no more.

mod breakages;
mod named;

use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use warrior_api::store::schema;
use warrior_stack::{DATABASE, announce_admin, newest_postgres_program};

use crate::server::TestServer;
use crate::settings::program;
use crate::supervisor::{Supervisor, WARRIOR_API, connect, eventually};
use crate::support::{apply_plain, log_in_directly};

/// A stack that is broken and mended, by one test at a time.
struct Patient {
    stack: Supervisor,
}

/// A report of the doctor, and its exit status.
struct Visit {
    status: i32,
    report: Value,
}

impl Patient {
    fn take() -> MutexGuard<'static, Self> {
        static PATIENT: OnceLock<Mutex<Patient>> = OnceLock::new();
        let patient = PATIENT.get_or_init(|| {
            let stack = Supervisor::throw_away();
            let mut owner = log_in_directly(&stack.endpoints.owner(DATABASE)).unwrap();
            schema::apply(&mut owner, &mut |_| {}).unwrap();
            Mutex::new(Self { stack })
        });
        patient.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The doctor of this stack, without a server: nothing listens on the port of its admin listener.
    fn doctor(&self) -> Command {
        let mut command = program(&["doctor", "--json"]);
        command
            .env("ADMIN_PORT", "1")
            // More than a pool that a test breaks, and less than one that is sound.
            .env("WORKERS", "30")
            .env("MAX_CONNECTIONS", "100")
            .arg("--data")
            .arg(&self.stack.endpoints.data);
        command
    }

    fn visit(&self) -> Visit {
        visit(&mut self.doctor())
    }

    /// Runs SQL as PostgreSQL's superuser.
    fn sql(&self, statements: &[&str]) {
        let mut client = connect(&self.stack.endpoints.superuser(DATABASE)).unwrap();
        for statement in statements {
            client
                .simple_query(statement)
                .unwrap_or_else(|e| panic!("{statement}: {e:?}"));
        }
    }

    /// Runs a command on PgBouncer's console.
    fn console(&self, command: &str) {
        let mut client = connect(&self.stack.endpoints.pooler_admin()).unwrap();
        client
            .simple_query(command)
            .unwrap_or_else(|e| panic!("{command}: {e:?}"));
    }

    /// Waits until the doctor finds exactly these. A busy machine may make it find a wait beside them for a moment.
    fn finds(&self, names: &[&str], after: &str) -> Visit {
        finds(&mut || self.visit(), names, after)
    }
}

impl Visit {
    fn names(&self) -> Vec<&str> {
        let findings = self.report["findings"].as_array().unwrap();
        findings
            .iter()
            .map(|finding| finding["name"].as_str().unwrap())
            .collect()
    }

    /// The command that mends the only finding.
    fn mend(&self) -> &str {
        self.report["findings"][0]["mend"].as_str().unwrap()
    }

    fn unseen(&self) -> Vec<&str> {
        let unseen = self.report["unseen"].as_array().unwrap();
        unseen
            .iter()
            .map(|part| part["what"].as_str().unwrap())
            .collect()
    }
}

fn visit(doctor: &mut Command) -> Visit {
    let output = doctor.output().expect("the program under test runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let report = serde_json::from_str(&said)
        .unwrap_or_else(|e| panic!("{e}: {said} {}", String::from_utf8_lossy(&output.stderr)));
    Visit {
        status: output.status.code().expect("it ends by itself"),
        report,
    }
}

/// Visits until nothing is found, and nothing but this is unseen: on a busy machine a login may take longer than a visit
/// waits for one.
fn sees_all_but(unseen: &[&str], visit: &mut dyn FnMut() -> Visit, after: &str) -> Visit {
    let mut last = finds(visit, &[], after);
    eventually("all else is seen", || {
        let seen = last.unseen() == unseen;
        if !seen {
            eprintln!("after {after}: {:#}", last.report);
            last = finds(visit, &[], after);
        }
        seen
    });
    last
}

fn finds(visit: &mut dyn FnMut() -> Visit, names: &[&str], after: &str) -> Visit {
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        let visit = visit();
        if visit.names() == names {
            return visit;
        }
        assert!(
            Instant::now() < deadline,
            "after {after} {names:?} was expected: {:#}",
            visit.report
        );
    }
}

/// Types a command into a shell, as somebody would who reads the report.
fn type_in(command: &str) {
    let psql = newest_postgres_program("psql").unwrap();
    let folder = |path: &std::path::Path| path.parent().unwrap().display().to_string();
    let path = format!(
        "{}:{}:/usr/bin:/bin",
        folder(WARRIOR_API.as_ref()),
        folder(&psql)
    );
    let output = Command::new("sh")
        .args(["-c", command])
        .env_clear()
        .env("PATH", path)
        .current_dir("/")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {said}");
}

#[test]
fn a_sound_stack_has_no_findings() {
    let patient = Patient::take();
    let served_by_none = ["the server, its readiness and what binds now"];
    let sound = sees_all_but(&served_by_none, &mut || patient.visit(), "nothing");
    assert_eq!(sound.status, 0, "{:#}", sound.report);
    assert_eq!(sound.report["format"], 1);
    assert_eq!(sound.report["healthy"], true);

    // With a server, whatever a busy machine makes it say of its processors.
    let server = TestServer::start(&patient.stack.endpoints.runtime(DATABASE));
    server.await_ready();
    let mut served = || {
        let mut command = patient.doctor();
        command.args(["--accept", "binds"]);
        visit(command.env("ADMIN_PORT", server.admin.port().to_string()))
    };
    sees_all_but(&[], &mut served, "a server");

    // Without its port, only a server that belongs to the stack is asked, whatever listens where one would by default.
    let mut unnamed = || {
        let mut command = patient.doctor();
        visit(command.args(["--accept", "binds"]).env_remove("ADMIN_PORT"))
    };
    let alone = sees_all_but(&served_by_none, &mut unnamed, "no server of this stack");
    let why = alone.report["unseen"][0]["why"].as_str().unwrap();
    assert!(why.contains("warrior-api up"), "{:#}", alone.report);
    announce_admin(&patient.stack.endpoints.data, server.admin).unwrap();
    sees_all_but(&[], &mut unnamed, "the server of this stack");

    // For people the same, in words.
    let mut command = program(&["doctor", "--data"]);
    let output = command
        .arg(&patient.stack.endpoints.data)
        .env("ADMIN_PORT", "1")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    for words in [
        "the stack in ",
        "PostgreSQL 1",
        "not looked at",
        "healthy: nothing was found",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn what_is_accepted_counts_no_more_and_a_name_must_be_one() {
    let patient = Patient::take();
    patient.sql(&["alter role warrior createdb"]);
    let found = patient.finds(&["role-too-mighty"], "createdb");
    assert_eq!(found.status, 3);
    let mut accepting = || visit(patient.doctor().args(["--accept", "role-too-mighty"]));
    let accepted = finds(&mut accepting, &[], "an acceptance");
    assert_eq!(accepted.status, 0);
    assert_eq!(accepted.report["accepted"][0]["name"], "role-too-mighty");
    let output = patient
        .doctor()
        .args(["--accept", "measles"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("measles") && said.contains("role-too-mighty"),
        "{said}"
    );
    type_in(found.mend());
    patient.finds(&[], "the mend");
}

/// A reload would bring back what `up` has written down, which is too small.
#[test]
fn a_pool_that_up_has_sized_is_mended_by_up() {
    let patient = Patient::take();
    let mut many = || visit(patient.doctor().env("WORKERS", "60"));
    let found = finds(&mut many, &["pool-too-small"], "60 workers");
    assert!(found.mend().contains("warrior-api up"), "{}", found.mend());
}

#[test]
fn wrong_usage_ends_with_1_and_what_cannot_be_reached_with_2() {
    for arguments in [
        &["doctor", "--jsno"][..],
        &["doctor", "--data=/nowhere", "--postgres-host=nowhere"],
        &["doctor", "--data=/nowhere", "--postgres-port=1"],
        &["doctor", "--workers=0"],
        &["doctor", "--postgres-tls=verify-full"],
    ] {
        let output = program(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty() && !said.is_empty());
    }
    let nowhere = visit(&mut program(&["doctor", "--json", "--data=/nowhere"]));
    assert_eq!(
        (nowhere.status, nowhere.names()),
        (2, vec!["database-unreachable"])
    );
    assert!(
        nowhere.mend().contains("warrior-api up --data /nowhere"),
        "{:#}",
        nowhere.report
    );

    let mut patient = Patient::take();
    patient.stack.command("stop pooler");
    let stopped = patient.finds(&["database-unreachable"], "a stop of PgBouncer");
    assert_eq!(stopped.status, 2);
    patient.stack.command("stop postgres");
    let stopped = patient.visit();
    assert_eq!(
        (stopped.status, stopped.names()),
        (2, vec!["database-unreachable"])
    );
    assert!(
        stopped.mend().contains("warrior-api up"),
        "{:#}",
        stopped.report
    );
    patient.stack.command("start postgres");
    patient.stack.command("start pooler");
    patient.finds(&[], "the start");
}

/// It looks for nothing there that the other schema alone has.
#[test]
fn a_stack_with_the_plain_schema_is_sound() {
    let stack = Supervisor::throw_away();
    let mut owner = log_in_directly(&stack.endpoints.owner(DATABASE)).unwrap();
    apply_plain(&mut owner).unwrap();
    let patient = Patient { stack };
    patient.finds(&[], "schema apply --plain");
    patient.sql(&["drop index public.idx_warrior_plain_names"]);
    let visit = patient.finds(&["index-missing"], "the index was dropped");
    assert!(
        visit.mend().contains("schema apply --plain"),
        "{}",
        visit.mend()
    );
}

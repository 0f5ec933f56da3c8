//! Settings that another client leaves on the server connections of the pooler, and databases that are read
//! only: what goes on, what is refused, and what `/ready` says to it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::chown;
use postgres::Client;
use postgres::types::Type;
use serde_json::json;
use warrior_stack::proxy::{Cut, Proxy};

use crate::api::warrior;
use crate::lock::TableLock;
use crate::program::{Program, from, serve};
use crate::server::TestServer;
use crate::supervisor::{Supervisor, eventually};
use crate::support::{Fresh, fresh_database, fresh_database_on};

/// More server connections than any server of these tests has opened.
const ALL: usize = 8;

/// Clients of the same role, which leave what they set.
pub(crate) struct Others(Vec<Client>);

impl Others {
    pub(crate) fn of(database: &Fresh) -> Self {
        Self((0..ALL).map(|_| database.pooled()).collect())
    }

    /// Leaves what `sql` sets on every server connection of the pooler to this database.
    pub(crate) fn leave(&mut self, sql: &str) {
        for client in &mut self.0 {
            client.batch_execute("begin").unwrap();
        }
        for client in &mut self.0 {
            client.batch_execute(&format!("{sql}; commit")).unwrap();
        }
    }

    /// What every server connection of the pooler to this database answers.
    pub(crate) fn ask(&mut self, sql: &str) -> Vec<i64> {
        for client in &mut self.0 {
            client.batch_execute("begin").unwrap();
        }
        let mut answers = Vec::new();
        for client in &mut self.0 {
            answers.push(client.query_typed(sql, &[]).unwrap()[0].get(0));
            client.batch_execute("commit").unwrap();
        }
        answers
    }

    /// The value of `setting` that a client meets.
    fn met(&mut self, setting: &str) -> String {
        let sql = "select current_setting($1)";
        let row = self.0[0]
            .query_typed(sql, &[(&setting, Type::TEXT)])
            .unwrap();
        row[0].get(0)
    }
}

/// Time enough on a busy machine: these tests are not about deadlines.
fn patient(database: &Fresh) -> TestServer {
    let server = TestServer::with(&database.pooled_login(), |server| {
        server.deadline = Duration::from_secs(20);
    });
    server.await_ready();
    server
}

#[test]
fn what_another_client_leaves_stops_nobody() {
    let database = fresh_database();
    let server = patient(&database);
    let mut others = Others::of(&database);
    for (n, sql) in [
        "set session characteristics as transaction read only",
        "set default_transaction_read_only = on",
        "set default_transaction_isolation = serializable",
        "set lock_timeout = 1",
        "set search_path = nowhere",
        "set DateStyle = 'German, DMY'",
        "set IntervalStyle = 'sql_standard'",
        "set TimeZone = 'Asia/Kathmandu'",
        "set client_encoding = 'LATIN1'",
        "set standard_conforming_strings = off",
        "set enable_indexscan = off; set enable_bitmapscan = off; set enable_indexonlyscan = off",
        "set enable_seqscan = off; set enable_sort = off; set enable_nestloop = off",
    ]
    .into_iter()
    .enumerate()
    {
        others.leave(sql);
        let name = format!("Žofie {n}");
        let body = json!({"name": name, "dob": "1987-06-05", "fight_skills": ["sambo", name]});
        let answer = server.post(&body);
        assert_eq!(answer.status, 201, "create after {sql}: {}", answer.text());
        others.leave(sql);
        assert_eq!(
            server.get(answer.location()).json(200)["dob"],
            "1987-06-05",
            "{sql}"
        );
        for term in [name.as_str(), "1987-06-05", "sambo"] {
            others.leave(sql);
            assert!(server.names(term).contains(&name), "{term} after {sql}");
        }
        others.leave(sql);
        assert_eq!(server.count(), i64::try_from(n).unwrap() + 1, "{sql}");
        others.leave(sql);
        assert_eq!(server.ask_admin("/ready").text(), "ready\n", "{sql}");
    }
}

/// A millisecond is also what a busy machine takes for the repair itself, so the first may fail.
#[test]
fn a_limit_that_another_client_leaves_is_lifted() {
    let database = fresh_database();
    let server = patient(&database);
    let mut others = Others::of(&database);
    // A create that takes longer than what was left, and less than what the role allows.
    let slow = "create function slow() returns trigger language plpgsql as
                    'begin perform pg_sleep(0.02); return null; end';
                create trigger slow after insert on warrior execute function slow()";
    database.owner().batch_execute(slow).unwrap();
    others.leave("set statement_timeout = 1");
    eventually("a create is stored", || {
        server.post(&warrior("n")).status == 201
    });
    others.leave("set statement_timeout = 1");
    eventually("a search is answered", || server.find("n").status == 200);
    eventually("the limit is the role's again", || {
        server.post(&warrior("n")).status == 201 && others.met("statement_timeout") == "2s"
    });
}

/// A planner setting, say, under which a statement takes all the time that it has.
#[test]
fn what_another_client_leaves_to_make_statements_slow_is_undone() {
    let database = fresh_database();
    let sql = format!(
        "alter role warrior in database {} set statement_timeout = 300",
        database.name()
    );
    database.superuser().batch_execute(&sql).unwrap();
    let slow = "create function slow() returns trigger language plpgsql as
                    'begin
                         if current_setting(''enable_sort'') = ''off'' then perform pg_sleep(30); end if;
                         return null;
                     end';
                create trigger slow after insert on warrior execute function slow()";
    database.owner().batch_execute(slow).unwrap();
    let server = patient(&database);
    let mut others = Others::of(&database);
    others.leave("set enable_sort = off");
    eventually("a create is stored", || {
        server.post(&warrior("n")).status == 201
    });
}

/// A crash may lose what such a commit acknowledges, and nothing fails.
#[test]
fn a_commit_that_another_client_leaves_less_durable_is_as_durable_as_the_role_says() {
    is_as_durable_as_the_role_says(&fresh_database());
}

/// Creates commit as the role says, whatever another client leaves.
pub(crate) fn is_as_durable_as_the_role_says(database: &Fresh) {
    // At the commit, as nothing later can change it.
    let note = "create table committed (how text);
                create function note() returns trigger language plpgsql security definer set search_path = public as
                    'begin insert into committed values (current_setting(''synchronous_commit'')); return null; end';
                create constraint trigger note after insert on warrior initially deferred
                    for each row execute function note()";
    database.owner().batch_execute(note).unwrap();
    let committed = |server: &TestServer| -> String {
        server.post(&warrior("n")).location();
        let how = "delete from committed returning how";
        database.owner().query_one(how, &[]).unwrap().get(0)
    };
    let server = patient(database);
    let mut others = Others::of(database);
    for left in ["off", "local", "remote_write"] {
        others.leave(&format!("set synchronous_commit = {left}"));
        assert_eq!(committed(&server), "on", "after {left}");
        assert_eq!(
            others.met("synchronous_commit"),
            left,
            "for the transaction alone"
        );
    }
    drop((others, server));

    // What somebody chose for the role is no accident.
    let chosen = format!(
        "alter role warrior in database {} set synchronous_commit = off",
        database.name()
    );
    let end = "select pg_terminate_backend(pid, 5000) from pg_stat_activity
                where datname = current_database() and usename = 'warrior'";
    database
        .superuser()
        .batch_execute(&format!("{chosen}; {end}"))
        .unwrap();
    let server = patient(database);
    assert_eq!(committed(&server), "off");
    Others::of(database).leave("set synchronous_commit = local");
    assert_eq!(committed(&server), "off");
}

/// What the role and the database say is no accident.
#[test]
fn a_limit_of_the_role_is_kept() {
    let database = fresh_database();
    let sql = format!(
        "alter role warrior in database {} set statement_timeout = 300",
        database.name()
    );
    database.superuser().batch_execute(&sql).unwrap();
    let server = patient(&database);
    let lock = TableLock::take(&database);
    assert_eq!(server.find("n").status, 503);
    lock.release();
    eventually("searches go on", || server.find("n").status == 200);
    assert_eq!(Others::of(&database).met("statement_timeout"), "300ms");
}

#[test]
fn a_database_that_is_read_only_is_not_ready_and_heals() {
    let database = fresh_database();
    let read_only = |on: bool| {
        let sql = match on {
            true => "set default_transaction_read_only = on",
            false => "reset default_transaction_read_only",
        };
        let mut admin = database.superuser();
        // For those who log in from now on, so that all others are made to.
        admin
            .batch_execute(&format!(
                "begin read write;
                 alter database {0} {sql};
                 commit;
                 select pg_terminate_backend(pid) from pg_stat_activity
                  where datname = '{0}' and usename = 'warrior'",
                database.name()
            ))
            .unwrap();
    };
    let server = patient(&database);
    let location = server.post(&warrior("n")).location().to_owned();
    read_only(true);
    eventually("it is not ready", || {
        let answer = server.ask_admin("/ready");
        answer.status == 503 && answer.text().contains("default_transaction_read_only")
    });
    assert_eq!(server.post(&warrior("m")).status, 503);
    eventually("reads go on", || server.get(&location).status == 200);
    read_only(false);
    server.await_ready();
    eventually("creates go on", || server.post(&warrior("m")).status == 201);
}

#[test]
fn a_standby_is_not_ready_and_is_said_at_the_start() {
    let mut stack = Supervisor::throw_away();
    let database = fresh_database_on(&stack.endpoints);
    stack.command("stop postgres");
    // Nobody sends it anything, so it stays what it is.
    let signal = stack.endpoints.data.join("pg/standby.signal");
    fs::write(&signal, "").unwrap();
    let owner = fs::metadata(&stack.endpoints.data).unwrap().uid();
    chown(&signal, Some(owner.into()), None).unwrap();
    stack.command("start postgres");
    let mut command = serve();
    let command = from(&mut command, &database.pooled_login());
    let program = Program::start(command.env("DB_CONNECT_TIMEOUT_MS", "15000"));
    let said = program.lines().join("\n");
    assert!(said.contains("is a standby or recovers"), "{said}");
    let ready = || crate::http::request(program.admin, "GET", "/ready", &[], b"");
    eventually("/ready says why", || {
        let answer = ready();
        answer.status == 503 && answer.text().contains("pg_promote")
    });
    let body = warrior("n").to_string();
    let create = || crate::http::request(program.public, "POST", "/warrior", &[], body.as_bytes());
    assert_eq!(create().status, 503);
    database
        .superuser()
        .batch_execute("select pg_promote()")
        .unwrap();
    eventually("/ready hears of the promotion", || ready().status == 200);
    eventually("creates go on", || create().status == 201);
    program.signal(Signal::SIGTERM);
    assert!(program.wait().0.success());
}

/// Whatever ran next on such a connection would be part of a transaction that nobody commits, and be answered as
/// if it were stored.
#[test]
fn a_repair_that_is_cut_off_takes_its_connection_along() {
    let database = fresh_database();
    let mut login = database.pooled_login();
    let proxy = Proxy::to(login.port).unwrap();
    login.port = proxy.port;
    let server = TestServer::with(&login, |server| {
        server.sizes.workers_create = 1;
        server.deadline = Duration::from_secs(1);
    });
    server.await_ready();
    server.post(&warrior("n")).json(201);
    Others::of(&database).leave("set lock_timeout = 1");
    let begin = b"start transaction";
    proxy.cut_next(Cut::Silence, begin, 1);
    let lock = TableLock::take(&database);
    eventually("a repair has begun", || {
        server.post(&warrior("n"));
        proxy.has_cut(begin)
    });
    drop(lock);
    let mut next = server.post(&warrior("n"));
    eventually("the worker is back", || {
        if next.status == 503 {
            next = server.post(&warrior("n"));
        }
        next.status != 503
    });
    next.json(201);
}

//! What operators rely on: the admin listener, metrics, logs, signals and secrets.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use nix::sys::signal::Signal;
use serde_json::Value;
use warrior_api::config::SecretSource;

use crate::api::{insert, warrior};
use crate::http::{Wire, request};
use crate::lock::{TableLock, wait_for_locks_for_ever};
use crate::openmetrics::open_metrics;
use crate::program::{Program, from, refusal, serve};
use crate::server::TestServer;
use crate::supervisor::{Scratch, WARRIOR_API, eventually};
use crate::support::{empty_database, fresh_database};

#[test]
fn ready_names_the_command_that_a_schema_needs() {
    let database = empty_database();
    let server = TestServer::start(&database.pooled_login());
    let not_ready = |server: &TestServer, word: &str| {
        eventually(word, || {
            let answer = server.ask_admin("/ready");
            assert_eq!(answer.status, 503, "{}", answer.text());
            answer.text().starts_with("not ready: ") && answer.text().contains(word)
        });
    };
    not_ready(&server, "warrior-api schema apply");
    let mut owner = database.owner();
    warrior_api::store::schema::apply(&mut owner, &mut |_| {}).unwrap();
    server.await_ready();
    assert_eq!(server.ask_admin("/ready").text(), "ready\n");
    // A database that an older program has left.
    insert(
        &mut owner,
        "update public.warrior_schema set number = number - 1",
    );
    not_ready(&server, "warrior-api schema apply");
    assert_eq!(server.ask_admin("/live").text(), "live\n");
}

#[test]
fn the_program_asks_a_server_how_it_is() {
    let database = empty_database();
    let server = TestServer::start(&database.pooled_login());
    let health = |flags: &[&str]| {
        Command::new(WARRIOR_API)
            .env_clear()
            .env("ADMIN_HOST", "0.0.0.0")
            .env("ADMIN_PORT", server.admin.port().to_string())
            .current_dir("/")
            .arg("health")
            .args(flags)
            .output()
            .unwrap()
    };
    eventually("it is told what is missing", || {
        let no = health(&[]);
        let said = String::from_utf8(no.stderr).unwrap();
        !no.status.success() && said.contains("warrior-api schema apply")
    });
    let yes = health(&["--live"]);
    assert!(yes.status.success(), "{yes:?}");
    assert_eq!(yes.stdout, b"live\n");
    let mut owner = database.owner();
    warrior_api::store::schema::apply(&mut owner, &mut |_| {}).unwrap();
    server.await_ready();
    assert_eq!(health(&[]).stdout, b"ready\n");
    // The public listener is none that says so, and nobody is none at all.
    let mut wrong = Command::new(WARRIOR_API);
    let wrong = wrong.env_clear().current_dir("/").arg("health");
    let said = refusal(wrong.env("ADMIN_PORT", server.public.port().to_string()));
    assert!(said.contains("not-found"), "{said}");
    drop(server);
    assert!(refusal(wrong).contains("ADMIN_PORT"));
}

#[test]
fn the_admin_listener_is_for_operators_only() {
    let database = fresh_database();
    let server = TestServer::start(&database.pooled_login());
    for path in [
        "/page",
        "/warrior?t=a",
        "/counting-warriors",
        "/health",
        "/metrics/",
    ] {
        assert_eq!(server.ask_admin(path).status, 404, "{path}");
    }
    for path in ["/", "/live", "/ready", "/metrics", "/figures"] {
        let post = request(server.admin, "POST", path, &[], b"");
        post.problem(405, "method-not-allowed");
        assert_eq!(post.header("allow"), Some("GET, HEAD"), "{path}");
        let mut head = Wire::open(server.admin);
        head.send(format!(
            "HEAD {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
        ));
        head.answer_to_head();
        head.assert_closed();
    }
    let large = request(server.admin, "POST", "/live", &[], &[b' '; 70_000]);
    large.problem(413, "body-too-large");
    let mut broken = Wire::open(server.admin);
    let chunks = "transfer-encoding: chunked\r\n\r\nno length\r\n";
    broken.send(format!("POST /live HTTP/1.1\r\nhost: a\r\n{chunks}"));
    broken.answer().problem(400, "bad-request");
}

#[test]
fn metrics_are_openmetrics_and_count() {
    let database = fresh_database();
    let server = TestServer::start(&database.pooled_login());
    server.await_ready();
    let location = server.post(&warrior("n")).location().to_owned();
    server.get(&location).json(200);
    server.get("/counting-warriors").json(200);
    server.find("n").json(200);
    server.get("/nowhere").problem(404, "not-found");
    server
        .post_bytes(&[], b"{}")
        .problem(422, "invalid-warrior");
    server
        .post_bytes(&[], &[b' '; 70_000])
        .problem(413, "body-too-large");

    let answer = server.ask_admin("/metrics");
    assert_eq!(answer.status, 200);
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(answer.header("content-type"), Some(content_type));
    let metrics = open_metrics(answer.text());
    let families: BTreeSet<_> = metrics.kinds.keys().map(String::as_str).collect();
    for documented in [
        "warrior_answer_bytes",
        "warrior_answer_bytes_max",
        "warrior_request_bytes",
        "warrior_request_bytes_max",
        "http_server_request_duration_seconds",
        "process_cpu_seconds",
        "process_max_fds",
        "process_open_fds",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
        "process_threads",
        "db_client_connections",
        "db_client_connection_create_time_seconds",
        "db_client_connection_max",
        "db_client_connection_timeouts",
        "db_client_connection_use_time_seconds",
        "db_client_connection_wait_time_seconds",
        "warrior_batch_duration_seconds",
        "warrior_batch_failures",
        "warrior_batch_last_success_timestamp_seconds",
        "warrior_batch_oldest_seconds",
        "warrior_batch_size",
        "warrior_batch_size_max",
        "warrior_breaker_open",
        "warrior_build",
        "warrior_drift",
        "warrior_idempotency_secret",
        "warrior_lane_requests",
        "warrior_outage_seconds",
        "warrior_queue_depth",
        "warrior_queue_max",
        "warrior_queue_wait_seconds",
        "warrior_refused",
        "warrior_rejected_rows",
        "warrior_stage_seconds",
        "warrior_statements",
        "warrior_worker_panics",
        "warrior_workers",
        "warrior_workers_busy",
    ] {
        assert!(families.contains(documented), "{documented}: {families:?}");
    }
    let failures = "warrior_batch_failures_total{lane=\"create\",class=\"unknown\"}";
    assert_eq!(metrics.sample(failures), 0.0);
    let requests = |route: &str, status: u16| {
        let name = "http_server_request_duration_seconds_count";
        metrics.sample(&format!("{name}{{route=\"{route}\",status=\"{status}\"}}"))
    };
    assert_eq!(requests("create", 201), 1.0);
    assert_eq!(requests("create", 422), 1.0);
    assert_eq!(requests("create", 413), 1.0);
    assert_eq!(requests("find", 200), 1.0);
    assert_eq!(requests("count", 200), 1.0);
    assert_eq!(requests("search", 200), 1.0);
    assert_eq!(requests("none", 404), 1.0);
    assert_eq!(
        metrics.sample("warrior_batch_size_sum{lane=\"create\"}"),
        1.0
    );
    assert_eq!(metrics.sample("warrior_batch_size_sum{lane=\"find\"}"), 2.0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    for lane in ["create", "find", "search"] {
        let gauge = |name: &str| metrics.sample(&format!("warrior_{name}{{lane=\"{lane}\"}}"));
        let success = gauge("batch_last_success_timestamp_seconds");
        let an_hour = now.as_secs_f64() - 3600.0..=now.as_secs_f64();
        assert!(an_hour.contains(&success), "{lane}: {success}");
        assert_eq!(gauge("queue_depth"), 0.0, "{lane}");
    }
    // A worker answers before it is idle.
    eventually("no batch runs", || {
        let metrics = open_metrics(server.ask_admin("/metrics").text());
        ["create", "find", "search"].iter().all(|lane| {
            let oldest = format!("warrior_batch_oldest_seconds{{lane=\"{lane}\"}}");
            metrics.sample(&oldest) == 0.0
        })
    });
    assert_eq!(metrics.sample("warrior_breaker_open"), 0.0);
    assert_eq!(metrics.sample("warrior_outage_seconds"), 0.0);
    assert!(metrics.sample("db_client_connection_max") >= 4.0);
    // Who does not ask for OpenMetrics gets the format that every scraper and promtool read.
    let older = request(server.admin, "GET", "/metrics", &[("Accept", "*/*")], b"");
    let content_type = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(older.header("content-type"), Some(content_type));
    let whole = "# TYPE warrior_worker_panics_total counter\n";
    assert!(older.text().contains(whole) && !older.text().contains("# EOF"));
    // Nothing of what clients sent is a label.
    assert!(!answer.text().contains("nowhere") && !answer.text().contains(&location));
}

#[test]
fn logs_are_json_lines_without_people_or_secrets() {
    let database = fresh_database();
    insert(
        &mut database.superuser(),
        &format!(
            "alter role warrior in database {} set lock_timeout = '100ms'",
            database.name()
        ),
    );
    let login = database.pooled_login();
    let secret = "the-secret-of-all-instances";
    let program = Program::start(
        from(&mut serve(), &login)
            .env("LOG_FORMAT", "json")
            .env(
                "LOG_LEVEL",
                "trace,tokio_postgres=trace,tokio_postgres::query=trace",
            )
            .env("IDEMPOTENCY_SECRET", secret),
    );
    let name = "Einzigartige Ingeborg";
    let body = warrior(name).to_string();
    let key = ("Idempotency-Key", "einzigartiger-schluessel");
    let post = || request(program.public, "POST", "/warrior", &[key], body.as_bytes());
    eventually("a warrior is stored", || post().status == 201);
    let lock = TableLock::take(&database);
    post().problem(503, "unavailable");
    lock.release();
    // Clients that do as they should not are no failures of ours.
    Wire::open(program.public).send("nonsense\r\n\r\n");
    request(program.public, "POST", "/warrior", &[], b"{").problem(400, "malformed-body");
    program.signal(Signal::SIGTERM);
    let (status, lines) = program.wait();
    assert!(status.success(), "{status}");

    let mut failures = Vec::new();
    for line in &lines {
        let entry: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        for field in ["timestamp", "level", "message"] {
            assert!(entry[field].is_string(), "{line}");
        }
        // What waited for its first connection in vain, on a busy machine, was asked for again above.
        let before_the_first = entry["class"] == "NotSent" && failures.is_empty();
        if entry["message"] == "a batch failed" && !before_the_first {
            failures.push((entry["last"].clone(), entry["sqlstate"].clone()));
        }
    }
    // One line for each attempt that failed.
    let expected = [false, true].map(|last| (last.into(), "55P03".into()));
    assert_eq!(failures, expected, "{lines:#?}");
    let all = lines.join("\n");
    let password = match &login.password {
        Some(password) => password.read().unwrap().expose().to_owned(),
        None => panic!("the stack has passwords"),
    };
    for private in ["Ingeborg", "2000-01-01", key.1, secret, &password] {
        assert!(!all.contains(private), "{private} in {all}");
    }
}

#[test]
fn a_password_is_read_again_without_a_restart() {
    let database = fresh_database();
    let files = Scratch::new();
    let file = files.join("password");
    let role = format!("rotating_{}", database.name());
    let mut admin = database.superuser();
    insert(
        &mut admin,
        &format!("create role {role} login password 'the first one' in role warrior"),
    );
    fs::write(&file, "the first one\n").unwrap();
    let mut login = database.direct_login();
    login.user = role.clone();
    login.password = Some(SecretSource::File(file.clone()));
    let server = TestServer::start(&login);
    server.await_ready();
    server.post(&warrior("first")).json(201);

    let change = format!(
        "alter role {role} password 'the second one';
         select pg_terminate_backend(pid) from pg_stat_activity where usename = '{role}'"
    );
    // A login that was under way when the password changed would otherwise live on.
    eventually("/ready names the reason", || {
        insert(&mut admin, &change);
        let answer = server.ask_admin("/ready");
        answer.status == 503
            && answer.text().contains("password authentication failed")
            && server.post(&warrior("meanwhile")).status == 503
    });
    let refused = server.post(&warrior("between"));
    refused.problem(503, "unavailable");
    fs::write(&file, "the second one").unwrap();
    server.await_ready();
    eventually("warriors are stored again", || {
        server.post(&warrior("second")).status == 201
    });
    assert_eq!(server.names("between"), [""; 0]);
    fs::remove_file(&file).unwrap();
    eventually("/ready names the file", || {
        insert(&mut admin, &change);
        let answer = server.ask_admin("/ready");
        answer.text().contains(file.to_str().unwrap())
    });
    drop(server);
    insert(&mut admin, &format!("drop role {role}"));
}

#[test]
fn no_secret_is_on_the_command_line() {
    let database = fresh_database();
    let program = Program::start(from(&mut serve(), &database.pooled_login()));
    eventually("it is ready", || {
        request(program.admin, "GET", "/ready", &[], b"").status == 200
    });
    let line = fs::read(format!("/proc/{}/cmdline", program.pid())).unwrap();
    let line = String::from_utf8(line).unwrap();
    assert_eq!(line, format!("{WARRIOR_API}\0serve\0"));
    for flag in ["--postgres-password", "--idempotency-secret"] {
        let said = refusal(serve().args([flag, "hunter2"]));
        assert!(said.contains("unexpected argument"), "{said}");
    }
    program.signal(Signal::SIGINT);
    assert!(program.wait().0.success());
}

#[test]
fn a_second_signal_ends_a_drain_at_once() {
    let database = fresh_database();
    wait_for_locks_for_ever(&database);
    let program = Program::start(
        from(&mut serve(), &database.pooled_login()).env("REQUEST_DEADLINE_MS", "20000"),
    );
    eventually("it is ready", || {
        request(program.admin, "GET", "/ready", &[], b"").status == 200
    });
    let mut lock = TableLock::take(&database);
    let body = warrior("n").to_string();
    let mut open = Wire::open(program.public);
    open.send(format!(
        "POST /warrior HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ));
    lock.await_waiting(1);
    program.signal(Signal::SIGTERM);
    eventually("it drains", || {
        let ready = request(program.admin, "GET", "/ready", &[], b"");
        ready.text().contains("draining")
    });
    program.signal(Signal::SIGTERM);
    assert_eq!(program.wait().0.code(), Some(143));
    open.assert_closed();
}

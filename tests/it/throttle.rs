//! Failures that repeat: few lines in the log, and none of them uncounted.

use std::net::{TcpListener, TcpStream};

use nix::sys::signal::Signal;
use serde_json::Value;
use warrior_api::config::Database;

use crate::http::request;
use crate::openmetrics::open_metrics;
use crate::program::{Program, from, serve};
use crate::supervisor::{eventually, shared};

const REQUESTS: usize = 300;

#[test]
fn a_listener_without_places_says_so() {
    let mut command = serve();
    let command = from(&mut command, &shared().runtime("postgres"));
    let program = Program::start(command.env("MAX_CONNECTIONS", "1"));
    let said = || {
        let lines = program.lines();
        lines.iter().any(|line| line.contains("MAX_CONNECTIONS"))
    };
    assert!(!said());
    let _held = TcpStream::connect(program.public).unwrap();
    eventually("there is no place left", said);
}

#[test]
fn refusals_leave_few_lines_that_add_up() {
    // Nobody listens there any more.
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let gone = Database {
        port,
        ..shared().runtime("postgres")
    };
    let mut command = serve();
    let command = from(&mut command, &gone).env("LOG_FORMAT", "json");
    let program = Program::start(command.env("REQUEST_DEADLINE_MS", "500"));
    let refused = "warrior_refused_total{lane=\"find\",reason=\"database_gone\"}";
    for _ in 0..REQUESTS {
        let answer = request(program.public, "GET", "/counting-warriors", &[], b"");
        assert_eq!(answer.status, 503);
    }
    let metrics = request(program.admin, "GET", "/metrics", &[], b"");
    let counted = open_metrics(metrics.text()).sample(refused);
    assert!(counted > 100.0, "{counted}");
    // The first one is there at once, also where nothing else is ever said.
    eventually("a refusal is logged", || {
        program
            .lines()
            .iter()
            .any(|line| line.contains("load shedding"))
    });
    program.signal(Signal::SIGTERM);
    let (status, lines) = program.wait();
    assert!(status.success(), "{lines:?}");
    let lines: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let shed = |line: &&Value| {
        let message = line["message"].as_str().unwrap_or_default();
        message.contains("load shedding") && line["lane"] == "find"
    };
    let shed: Vec<&Value> = lines.iter().filter(shed).collect();
    assert!(shed.len() <= 12, "{shed:?}");
    // A line of its own counts itself; one that brings a count alone has no queue to speak of.
    let told: f64 = (shed.iter())
        .map(|line| {
            let own = f64::from(u8::from(!line["waiting"].is_null()));
            own + line["held_back"].as_f64().unwrap_or(0.0)
        })
        .sum();
    assert_eq!(told, counted, "{shed:?}");
    assert!(shed.iter().all(|line| line["reason"] == "database_gone"));
    // A pool whose logins fail says so, whether anybody asks for a connection or not.
    assert!(lines.iter().any(|line| {
        let message = line["message"].as_str().unwrap_or_default();
        message.contains("a login to the database failed")
    }));
}

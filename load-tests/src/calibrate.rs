//! Calibration: the generator against a server whose every delay is known, on this machine. The arithmetic
//! is tested on a driven clock; what is asked here is whether clock, timers and threads keep up.

mod delay_server;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub use delay_server::{Behaviour, DelayServer, request_length};

use crate::drive::drive;
use crate::engine::Tally;
use crate::output::say;
use crate::profile::{Overrides, Profile, compile};
use crate::target::Target;

/// Bounds the measurements of one check. Other work on the machine delays both sides and can spoil a
/// measurement, never repair a wrong one, so one that is true is enough.
const ATTEMPTS_MAX: usize = 5;

/// The promise: quantiles within this share of the truth.
const TOLERANCE: f64 = 0.01;

/// Connections of the closed model.
const CONNECTIONS: usize = 8;

/// One measurement: whether it is true, and what was found.
type Check = fn() -> anyhow::Result<(bool, String)>;

/// Measures, prints each finding, and says whether the generator can be trusted on this machine.
///
/// # Errors
/// When the server or the generator cannot be started.
pub fn calibrate() -> anyhow::Result<bool> {
    let checks: [(&str, Check); 3] = [
        ("p50 to p99.9 within 1 % of the truth", quantiles),
        ("a stall of one second in five, in p99", stall),
        ("8 connections kept busy, closed model", busy),
    ];
    let mut calibrated = true;
    for (name, check) in checks {
        let mut findings = Vec::new();
        let is_true = loop {
            let (is_true, finding) = check()?;
            findings.push(finding);
            if is_true || findings.len() == ATTEMPTS_MAX {
                break is_true;
            }
        };
        let word = if is_true { "true" } else { "NOT TRUE" };
        say(format_args!("{name}: {word}\n  {}", findings.join("\n  ")));
        calibrated &= is_true;
    }
    Ok(calibrated)
}

fn quantiles() -> anyhow::Result<(bool, String)> {
    // Delays between 20 and 420 ms, skewed so that the tail is long. Beside them the way there and back is
    // short, on which the machine has to wake two sleepers: 20 to 200 us.
    let delay = |number: u64| {
        let x = (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f64 / (1u64 << 24) as f64;
        Duration::from_secs_f64(0.02 + 0.4 * x.powi(4))
    };
    let server = DelayServer::start(Behaviour {
        delay: Box::new(delay),
        ..Behaviour::fixed(Duration::ZERO)
    })?;
    let tally = run(
        &server,
        "{ rate = 400, for = '5s', randomised = true }",
        None,
    )?;
    let truth = server.held();
    let mut is_true = (tally.succeeded(), server.requests()) == (2000, 2000);
    let mut found = vec![format!("{} of 2000 requests", tally.succeeded())];
    for q in [0.5, 0.9, 0.99, 0.999] {
        let truth = quantile(&truth, q) as f64 / 1000.0;
        let service = tally.service.value_at_quantile(q) as f64;
        is_true &= (service - truth).abs() <= truth * TOLERANCE;
        found.push(format!("p{}: {service:.0} of {truth:.0} us", q * 100.0));
    }
    Ok((is_true, found.join(", ")))
}

fn stall() -> anyhow::Result<(bool, String)> {
    let server = DelayServer::start(Behaviour {
        stall: Some((Duration::from_secs(5), Duration::from_secs(1))),
        ..Behaviour::fixed(Duration::from_millis(1))
    })?;
    let tally = run(
        &server,
        "{ rate = 200, for = '5s', randomised = true }",
        None,
    )?;
    // A fifth of the arrivals meets the stall and waits between 0 and 1 s: of all, 1 % waits longer than
    // 0.95 s and half does not wait at all.
    let [p50, p99] = [0.5, 0.99].map(|q| tally.latency.value_at_quantile(q));
    let is_true = (900_000..=1_010_000).contains(&p99) && p50 < 10_000;
    Ok((is_true, format!("p50 {p50} us, p99 {p99} us")))
}

fn busy() -> anyhow::Result<(bool, String)> {
    let server = DelayServer::start(Behaviour::fixed(Duration::from_millis(5)))?;
    let tally = run(&server, "{ rate = 1, for = '1s' }", Some(CONNECTIONS))?;
    // Of the seconds that the connections have in one, the server must have held the most.
    let busy = server.held().iter().sum::<u64>() as f64 / 1e9 / CONNECTIONS as f64;
    let is_true = busy > 0.9 && tally.succeeded() <= 1608 && server.connections() == 8;
    Ok((
        is_true,
        format!("{busy:.3} of the time, {} requests", tally.succeeded()),
    ))
}

/// Sends a GET at these arrivals, or over so many connections.
fn run(server: &DelayServer, arrivals: &str, connections: Option<usize>) -> anyhow::Result<Tally> {
    let profile = format!(
        "name = 'calibrate'\n[[scenario]]\nname = 'get'\npath = '/'\nexpect = [200]\n\
         arrivals = [{arrivals}]\n"
    );
    let overrides = Overrides {
        connections,
        ..Overrides::seeded(1)
    };
    let target = Target::parse(server.url().trim_end_matches('/'))?;
    let plan = compile(
        &Profile::parse(&profile, Path::new("."))?,
        &target,
        &overrides,
    )?;
    let collected = drive(
        &Arc::new(plan),
        None,
        &Arc::new(AtomicBool::new(false)),
        |_, _| {},
    )?;
    Ok(collected.total())
}

/// The value at a quantile of an ascending list, as HdrHistogram defines it.
fn quantile(ascending: &[u64], quantile: f64) -> u64 {
    let rank = (quantile * ascending.len() as f64).ceil().max(1.0) as usize;
    ascending[rank.min(ascending.len()) - 1]
}

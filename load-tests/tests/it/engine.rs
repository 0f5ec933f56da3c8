//! The engine against a server whose every delay is known: counts, never speed.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use warrior_load::drive::drive;
use warrior_load::engine::{LoadModel, Outcome, Plan, Tally, Unsent};
use warrior_load::profile::{Overrides, Profile, compile};
use warrior_load::target::Target;

use crate::delay::{Behaviour, DelayServer, delay_server};

/// A GET at random moments, with further keys of a profile.
fn plan(server: &DelayServer, keys: &str, rate: f64, length: &str) -> Plan {
    let profile = format!(
        "name = 'get'\n{keys}\n[[scenario]]\nname = 'get'\npath = '/'\nexpect = [200]\n\
         arrivals = [{{ rate = {rate}, for = '{length}', randomised = true }}]\n"
    );
    let overrides = Overrides::seeded(1);
    let target = Target::parse(server.url().trim_end_matches('/')).expect("the server's URL");
    let profile = Profile::parse(&profile, Path::new(".")).expect("a profile");
    compile(&profile, &target, &overrides).expect("a plan")
}

/// What was measured, and what fell into the warm-up.
fn run(plan: Plan) -> (Tally, Tally) {
    let stop = Arc::new(AtomicBool::new(false));
    let collected = drive(&Arc::new(plan), None, &stop, |_, _| {}).expect("no thread failed");
    (collected.total(), collected.warmup)
}

/// Requests that were given up. On a busy machine a connection may come too late, too, which is counted apart.
fn without_answer(tally: &Tally) -> u64 {
    let timeouts = tally.outcomes.get(&Outcome::Timeout).copied();
    let unconnected = tally.unsent.get(&Unsent::NotAccepted).copied();
    timeouts.unwrap_or(0) + unconnected.unwrap_or(0)
}

#[test]
fn what_is_not_prescribed_is_counted_by_its_status_and_kept_out_of_the_latency() {
    let behaviour = Behaviour {
        status: Box::new(|n| if n % 10 == 0 { 503 } else { 200 }),
        ..Behaviour::fixed(Duration::from_millis(1))
    };
    let server = delay_server(behaviour);
    let (tally, _) = run(plan(&server, "", 500.0, "1s"));
    assert_eq!(
        (tally.succeeded(), tally.other(503), tally.failed()),
        (450, 50, 50)
    );
    assert_eq!((tally.latency.len(), tally.latency_failed.len()), (450, 50));
}

#[test]
fn a_503_is_repeated_as_its_retry_after_says_and_counted_apart() {
    // All come once within a quarter of a second, half of them a second time, and the other half a third time.
    let behaviour = Behaviour {
        status: Box::new(|n| if n < 75 { 503 } else { 200 }),
        ..Behaviour::fixed(Duration::ZERO)
    };
    let server = delay_server(behaviour);
    let profile = "name = 'again'\n[[scenario]]\nname = 'get'\npath = '/'\nexpect = [200]\n\
                   arrivals = [{ rate = 200, for = '250ms' }]\nretry = { name = 'again', times = 2 }\n";
    let profile = Profile::parse(profile, Path::new(".")).expect("a profile");
    let target = Target::parse(server.url().trim_end_matches('/')).expect("the server's URL");
    let plan = compile(&profile, &target, &Overrides::seeded(1)).expect("a plan");
    let stop = Arc::new(AtomicBool::new(false));
    let began = Instant::now();
    let collected = drive(&Arc::new(plan), None, &stop, |_, _| {}).expect("no thread failed");
    assert!(began.elapsed() >= Duration::from_secs(2));
    let [first, again] = &collected.tallies[..] else {
        panic!("two rows");
    };
    assert_eq!((first.scheduled, first.other(503)), (50, 50));
    assert_eq!((again.scheduled, again.other(503)), (75, 25));
    assert_eq!(again.succeeded(), 50);
}

#[test]
fn a_quick_cut_does_not_flatter_the_latency() {
    let behaviour = Behaviour {
        status: Box::new(|n| if n % 4 == 0 { 200 } else { 0 }),
        delay: Box::new(|n| Duration::from_millis(if n % 4 == 0 { 20 } else { 0 })),
        ..Behaviour::fixed(Duration::ZERO)
    };
    let server = delay_server(behaviour);
    let (tally, _) = run(plan(&server, "", 200.0, "1s"));
    assert_eq!(tally.outcomes.get(&Outcome::Cut), Some(&150));
    assert_eq!((tally.latency.len(), tally.latency_failed.len()), (50, 150));
    assert!(tally.latency.min() >= 20_000, "{} us", tally.latency.min());
}

#[test]
fn a_target_that_refuses_connections_is_unsent_not_lost() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let server = delay_server(Behaviour::fixed(Duration::ZERO));
    let mut plan = plan(&server, "", 100.0, "1s");
    plan.target.address = listener.local_addr().expect("bound");
    drop(listener);
    let (tally, _) = run(plan);
    assert_eq!((tally.scheduled, tally.sent), (100, 0));
    assert_eq!(tally.unsent.values().sum::<u64>(), 100);
}

#[test]
fn one_connection_per_user_means_as_many_connections_as_requests() {
    let server = delay_server(Behaviour::fixed(Duration::ZERO));
    let plan = plan(&server, "connections = 'per-user'", 200.0, "1s");
    let (tally, _) = run(plan);
    assert_eq!((tally.succeeded(), server.connections()), (200, 200));
    assert_eq!(tally.connect.len(), 200);
}

#[test]
fn an_answer_that_does_not_come_is_a_timeout_and_stays_in_the_latency() {
    let server = delay_server(Behaviour::fixed(Duration::from_secs(60)));
    let plan = plan(&server, "timeout = '300ms'", 20.0, "500ms");
    let (tally, _) = run(plan);
    assert_eq!(without_answer(&tally), 10);
    assert!(tally.latency.min() >= 300_000, "{} us", tally.latency.min());
}

#[test]
fn an_answer_without_end_is_a_timeout_and_keeps_no_other_request_waiting() {
    let profile = "name = 'floods'\ntimeout = '2s'\n\
                   [[scenario]]\nname = 'endless'\npath = '/endless'\nexpect = [200]\n\
                   arrivals = [{ rate = 20, for = '500ms' }]\n\
                   [[scenario]]\nname = 'short'\npath = '/short'\nexpect = [200]\n\
                   arrivals = [{ rate = 50, for = '2s' }]\n";
    let profile = Profile::parse(profile, Path::new(".")).expect("a profile");
    let target = Target::parse(&floods()).expect("a URL");
    let plan = compile(&profile, &target, &Overrides::seeded(1)).expect("a plan");
    let stop = Arc::new(AtomicBool::new(false));
    let collected = drive(&Arc::new(plan), None, &stop, |_, _| {}).expect("no thread failed");
    let [endless, short] = &collected.tallies[..] else {
        panic!("two scenarios");
    };
    assert_eq!(endless.outcomes_text(), "timeout: 10");
    // Histograms have three digits.
    assert!(
        endless.latency.min() >= 1_990_000,
        "{} us",
        endless.latency.min()
    );
    assert_eq!(short.outcomes_text(), "200: 100");
}

/// A server whose answers to `/endless` go on as fast as they are read, until the client goes away. It reads a request
/// before it answers: what comes on a connection before anything was asked is no answer, and ends the connection.
fn floods() -> String {
    use std::io::{BufRead, BufReader, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let answer = |stream: std::net::TcpStream| -> std::io::Result<()> {
        let mut out = stream.try_clone()?;
        let mut lines = BufReader::new(stream).lines();
        while let Some(line) = lines.next().transpose()? {
            let is_endless = line.starts_with("GET /endless");
            while !lines.next().transpose()?.unwrap_or_default().is_empty() {}
            if !is_endless {
                out.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
                continue;
            }
            out.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            let chunk = [&b"10000\r\n"[..], &[b'x'; 0x10000], b"\r\n"].concat();
            loop {
                out.write_all(&chunk)?;
            }
        }
        Ok(())
    };
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    url
}

#[test]
fn every_arrival_is_accounted_for_whatever_thread_it_falls_to() {
    let server = delay_server(Behaviour::fixed(Duration::from_millis(1)));
    let mut plan = plan(&server, "warmup = '500ms'", 1000.0, "2s");
    plan.threads = 2;
    let plan_total = match &plan.load {
        LoadModel::Open(arrivals) => arrivals.len() as u64,
        LoadModel::Closed { .. } => 0,
    };
    let (tally, warmup) = run(plan);
    let warmup = warmup.succeeded();
    assert_eq!(tally.succeeded() + warmup, plan_total);
    assert!(
        (400..600).contains(&warmup),
        "{warmup} of the first half second"
    );
}

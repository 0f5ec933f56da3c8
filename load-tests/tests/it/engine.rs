//! The engine against a server whose every delay is known: counts, never speed.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

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
fn an_answer_without_end_is_a_timeout_however_fast_it_comes() {
    use std::io::Write;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || -> std::io::Result<()> {
                stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                let chunk = [&b"10000\r\n"[..], &[b'x'; 0x10000], b"\r\n"].concat();
                // Until the client goes away.
                loop {
                    stream.write_all(&chunk)?;
                    // The pace: a flood would keep the generator from its own clock.
                    std::thread::sleep(Duration::from_millis(2));
                }
            });
        }
    });
    let server = delay_server(Behaviour::fixed(Duration::ZERO));
    let mut plan = plan(&server, "timeout = '300ms'", 2.0, "1s");
    plan.target.address = address;
    let (tally, _) = run(plan);
    // One that found no connection in time was not asked.
    assert!(without_answer(&tally) > 0);
    assert_eq!(tally.succeeded(), 0);
    assert!(tally.latency.min() >= 300_000, "{} us", tally.latency.min());
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

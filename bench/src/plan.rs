//! The plan of a bench: the measurements of the parts that were asked for.

mod peers;

use std::sync::Arc;

use hyper::Uri;
use warrior_load::output::say;
use warrior_load::target::Target;
use warrior_load::workload::Kind;

use crate::cpu::Processes;
use crate::hits::Hits;
use crate::http::Request;
use crate::measurement::{
    Action, COUNT, CREATE, FIND, Measurement, SEARCH, by_http, by_pgbench, empty, hello,
    pgbench_alone, server,
};
use crate::options::Part;
use crate::pgbench::{BATCH, CLIENTS_UNTRIED, Job, Script};
use crate::plain::plain;
use crate::rig::Rig;

/// The works of a bench, each with its own part.
const WORKS: [(Part, &str); 4] = [
    (Part::Create, CREATE),
    (Part::Find, FIND),
    (Part::Count, COUNT),
    (Part::Search, SEARCH),
];

/// All measurements of the parts that were asked for, but classes and mixed ones.
pub(crate) fn measurements(rig: &mut Rig<'_>) -> anyhow::Result<Vec<Measurement>> {
    let mut all = Vec::new();
    let peers = rig.options.wants(&[Part::Peers]);
    for (part, work) in WORKS {
        let asked = rig.options.wants(&[part]);
        let crowd = rig.options.crowd();
        let kind = match part {
            Part::Create => Kind::CreateValid,
            Part::Find => Kind::OneOf(Arc::clone(&rig.known)),
            Part::Count => Kind::Count,
            _ => Kind::Search,
        };
        let connections = match (asked, peers) {
            (true, _) => rig.options.connections.clone(),
            (false, true) => vec![crowd],
            (false, false) => continue,
        };
        for connections in connections {
            let action = rig.to_server(kind.clone(), connections);
            all.push(by_http(work, server(connections), action));
            if let (true, Some((stack, known))) = (asked, &rig.plain) {
                let kind = match part {
                    Part::Find => Kind::OneOf(Arc::clone(known)),
                    _ => kind.clone(),
                };
                let action = Action::Http(Box::new(rig.request(stack, kind, connections)));
                all.push(by_http(work, plain(connections), action));
            }
            if peers && connections == crowd {
                all.extend(peers::measurements(rig, work, &kind, crowd)?);
            }
            if asked && matches!(part, Part::Find | Part::Count) {
                let action = Action::Http(Box::new(to_hello(rig, part, connections)));
                all.push(by_http(work, hello(connections), action));
            }
        }
        if !asked {
            continue;
        }
        if let (Part::Create | Part::Count, Some(stack)) = (part, rig.empty) {
            let request = rig.request(stack, kind, crowd);
            let action = Action::Emptied(Box::new(Action::Http(Box::new(request))));
            all.push(by_http(work, empty(crowd), action));
        }
        match part {
            Part::Create => all.extend(database_measurements(rig, work, Script::Create)?),
            Part::Find => all.extend(database_measurements(rig, work, Script::Find)?),
            _ => {}
        }
    }
    Ok(all)
}

/// Requests that cost the generator what those to the server cost it.
fn to_hello(rig: &Rig<'_>, part: Part, connections: usize) -> Request {
    let (hello, kind) = match part {
        Part::Find => (&rig.hello_find, Kind::OneOf(Arc::clone(&rig.known))),
        _ => (
            &rig.hello_count,
            Kind::OneOf(count_uri(&rig.hello_count.target)),
        ),
    };
    Request {
        kinds: vec![(Hits::Any, kind)],
        target: hello.target.clone(),
        processes: Processes::alone(hello.pid()),
        ..rig.request(rig.stack, Kind::Count, connections)
    }
}

/// pgbench in batches, directly and through PgBouncer, each with the number of clients that is best for it; for creates,
/// into a bare table, too; and one by one with one client.
fn database_measurements(
    rig: &mut Rig<'_>,
    work: &str,
    script: Script,
) -> anyhow::Result<Vec<Measurement>> {
    let mut jobs = Vec::new();
    for pooled in [false, true] {
        jobs.push(Job {
            script,
            size: BATCH,
            pooled,
        });
    }
    if script == Script::Create {
        jobs.push(Job {
            script: Script::CreateBare,
            size: BATCH,
            pooled: false,
        });
    }
    let mut all = Vec::new();
    for job in jobs {
        let clients = best_clients(rig, job)?;
        all.push(by_pgbench(work, job.name(), job, clients));
    }
    let alone = Job {
        script,
        size: 1,
        pooled: true,
    };
    all.push(by_pgbench(work, pgbench_alone(script), alone, 1));
    Ok(all)
}

/// Tries each number of clients for a second. A single round is not worth it.
fn best_clients(rig: &mut Rig<'_>, job: Job) -> anyhow::Result<u32> {
    if rig.options.rounds == 1 {
        return Ok(CLIENTS_UNTRIED);
    }
    let numbers = job.clients();
    let mut best = (0.0, numbers[0]);
    for clients in numbers {
        rig.go_on()?;
        let Some(pgbench) = &mut rig.pgbench else {
            anyhow::bail!("pgbench was not prepared")
        };
        let rate = pgbench.run(job, clients, 1)?.rate;
        if rate > best.0 {
            best = (rate, clients);
        }
    }
    say(format_args!(
        "  {} is best with {} of {numbers:?} clients: {:.0} rows/s",
        job.name(),
        best.1,
        best.0
    ));
    Ok(best.1)
}

fn count_uri(target: &Target) -> Arc<[Uri]> {
    target.uri("/counting-warriors").into_iter().collect()
}

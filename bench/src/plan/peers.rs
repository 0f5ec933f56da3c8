//! The measurements of peers, to stand beside the server's.

use std::time::Duration;

use anyhow::Context;
use warrior_load::output::say;
use warrior_load::workload::Kind;

use super::best_clients;
use crate::companion::Companion;
use crate::http::Request;
use crate::measurement::{Action, CREATE, FIND, Measurement, SEARCH, by_http, by_pgbench};
use crate::peers::{GROUPING, GUIDE, POOLED, Peers, SearchBy, guide_connections, peer, to};
use crate::pgbench::{Job, Script};
use crate::rig::Rig;

/// Sizes of the pool, of which the best is taken, for each work.
const POOLS: [usize; 3] = [4, 16, 64];
/// The size when they are not tried.
const POOL_UNTRIED: usize = 16;

/// Windows of the guide's search hold several of its answers, which take the longer the more rows there are: four times
/// the length of others, and once more for so many rows. They have no warm-up, whose requests would outlast it.
const GUIDE_LONGER_BY_ROWS: u64 = 50_000;
/// Bounds the rows of a table that the guide's search is tried on. On more, a round would take minutes.
const GUIDE_ROWS_MAX: u64 = 1_500_000;
/// An answer of the guide's search takes some ten seconds on a million rows and two cores.
const GUIDE_TIMEOUT: Duration = Duration::from_secs(60);

/// Those of all peers that can do this work, over so many connections.
pub(super) fn measurements(
    rig: &mut Rig<'_>,
    work: &'static str,
    kind: &Kind,
    connections: usize,
) -> anyhow::Result<Vec<Measurement>> {
    let stack = rig.stack;
    choose_pool(rig, work, kind, connections)?;
    if rig.peers.grouping.is_none() {
        rig.peers.grouping = Some(Peers::start_grouping(rig.options, stack)?);
    }
    let mut all = Vec::new();
    let mut add = |name: &str, companion: &Companion, request: Request| {
        let executor = peer(name, request.load.connections());
        all.push(measurement(work, executor, to(companion, stack, request)));
    };
    let request = rig.request(stack, kind.clone(), connections);
    add(POOLED, rig.peers.pooled(work)?, request.clone());
    let grouping = rig.peers.grouping.as_ref();
    add(
        GROUPING,
        grouping.context("the grouping peer was not started")?,
        request,
    );
    if work == SEARCH && rig.options.rows > GUIDE_ROWS_MAX {
        say(format_args!(
            "  {GUIDE} reads every row, and is not measured above {GUIDE_ROWS_MAX} rows"
        ));
    } else if work == SEARCH {
        let guide = Peers::start_pooled(rig.options, stack, guide_connections(), SearchBy::Guide)?;
        let windows = 4 + rig.options.rows / GUIDE_LONGER_BY_ROWS;
        let request = Request {
            warmup: Duration::ZERO,
            length: Duration::from_secs(windows * u64::from(rig.options.seconds)),
            timeout: GUIDE_TIMEOUT,
            ..rig.request(stack, kind.clone(), guide_connections())
        };
        add(GUIDE, &guide, request);
        rig.peers.guide = Some(guide);
    }
    all.extend(postgrest(rig, work)?);
    Ok(all)
}

/// Starts the pooled peer with each size of its pool, once for all works, and takes the one that does most in a second.
fn choose_pool(
    rig: &mut Rig<'_>,
    work: &'static str,
    kind: &Kind,
    connections: usize,
) -> anyhow::Result<()> {
    // A single round is not worth a trial.
    let sizes: &[usize] = match rig.options.rounds {
        1 => &[POOL_UNTRIED],
        _ => &POOLS,
    };
    let (options, stack) = (rig.options, rig.stack);
    for size in &sizes[rig.peers.pooled.len()..] {
        let peer = Peers::start_pooled(options, stack, *size, SearchBy::Function)?;
        rig.peers.pooled.push((*size, peer));
    }
    let (mut best, mut most) = (0, 0.0);
    let tried = if sizes.len() > 1 { sizes.len() } else { 0 };
    for place in 0..tried {
        let (_, companion) = &rig.peers.pooled[place];
        let request = to(
            companion,
            stack,
            rig.request(stack, kind.clone(), connections),
        );
        let rate = rig
            .measure(&measurement(work, POOLED.to_owned(), request))?
            .rate;
        if rate > most {
            (best, most) = (place, rate);
        }
    }
    if tried > 0 {
        say(format_args!(
            "  {work}: {POOLED} is best with {} of {sizes:?} connections in its pool: {most:.0} requests/s",
            sizes[best]
        ));
    }
    rig.peers.best.push((work, best));
    Ok(())
}

/// PostgREST's statement for this work, where it has one.
fn postgrest(rig: &mut Rig<'_>, work: &str) -> anyhow::Result<Option<Measurement>> {
    let script = match work {
        CREATE => Script::PostgrestCreate,
        FIND => Script::PostgrestFind,
        SEARCH => Script::PostgrestSearch,
        _ => return Ok(None),
    };
    let job = Job::postgrest(script);
    let clients = best_clients(rig, job)?;
    Ok(Some(by_pgbench(work, job.name(), job, clients)))
}

fn measurement(work: &str, executor: String, request: Request) -> Measurement {
    let action = Action::Http(Box::new(request));
    let action = match work {
        CREATE => Action::Flushed(Box::new(action)),
        _ => action,
    };
    by_http(work, executor, action)
}

//! One measurement over HTTP, in the generator's closed or open model.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use warrior_load::collect::Collected;
use warrior_load::drive::drive;
use warrior_load::engine::{ConnectionMode, LoadModel, Plan, Scenario};
use warrior_load::exit::NothingWorked;
use warrior_load::output::say;
use warrior_load::target::Target;
use warrior_load::workload::{Kind, Maker};

use crate::cpu::{Meter, Processes};
use crate::hits::Hits;
use crate::open;
use crate::sample::Sample;

/// Opening connections and filling caches; requests of this time are sent and not measured.
pub(crate) const WARMUP: Duration = Duration::from_millis(300);

/// Searches outlast the creates that are measured beside them by this long.
const BESIDE_LONGER: Duration = Duration::from_millis(500);

/// Bounds the connections in the open model.
const OPEN_CONNECTIONS_MAX: usize = 1024;

/// A request without an answer after this long is given up, unless it is known to take longer.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// Requests, their target, and the load model that sends them.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The kinds of request, and how many rows each finds. Those of one list share it in proportion.
    pub kinds: Vec<(Hits, Kind)>,
    /// To whom.
    pub target: Target,
    /// Whose CPU time is looked at.
    pub processes: Processes,
    /// When.
    pub load: HttpLoad,
    /// Generator threads.
    pub threads: usize,
    /// How long it is sent before it is measured.
    pub warmup: Duration,
    /// How long it is measured.
    pub length: Duration,
    /// When a request without an answer is given up.
    pub timeout: Duration,
    /// Whether it is a figure, too, that all are refused, or given up at their deadline (503, 504); else that is an error.
    pub may_be_refused: bool,
    /// Draws what is random.
    pub seed: u64,
}

/// When requests are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum HttpLoad {
    /// So many connections, each of which sends when it has its answer.
    Connections(usize),
    /// So many requests a second, whatever the answers do.
    Rate(f64),
}

impl HttpLoad {
    /// The connections at most.
    pub(crate) fn connections(self) -> usize {
        match self {
            HttpLoad::Connections(connections) => connections,
            HttpLoad::Rate(_) => OPEN_CONNECTIONS_MAX,
        }
    }
}

/// Sends it and measures. A window in which no request ended says nothing of the target, so a longer one is taken.
pub(crate) fn measure(request: &Request, stop: &Arc<AtomicBool>) -> anyhow::Result<Sample> {
    let mut request = request.clone();
    loop {
        if let Some(sample) = measure_once(&request, stop)? {
            return Ok(sample);
        }
        request.length *= 2;
    }
}

/// One window; none where no request ended in it, and a longer one may be taken.
fn measure_once(request: &Request, stop: &Arc<AtomicBool>) -> anyhow::Result<Option<Sample>> {
    let plan = Arc::new(plan(request));
    let meter = Meter::start(request.processes);
    let collected = drive(&plan, None, stop, |_, _| {})?;
    let used = meter.stop();
    let mut sample = sample(request, &plan, &collected);
    if sample.done == 0 && !stop.load(Ordering::Relaxed) {
        if collected.total().ended() == 0 && request.length < request.timeout {
            return Ok(None);
        }
        let refused = collected.total().other(503) + collected.total().other(504);
        if !request.may_be_refused || refused < collected.total().ended() {
            let what = format!("requests under {:?}", request.load);
            let answers = collected.total().outcomes_text();
            return Err(NothingWorked { what, answers }.into());
        }
    }
    used.note(
        &mut sample,
        collected.warmup.ended() + collected.total().ended(),
    );
    Ok(Some(sample))
}

/// Measures creates while searches go on around them.
pub(crate) fn measure_beside(
    create: &Request,
    search: &Request,
    stop: &Arc<AtomicBool>,
) -> anyhow::Result<Sample> {
    let search = Request {
        length: search.length + BESIDE_LONGER,
        ..search.clone()
    };
    let (searched, sample) = std::thread::scope(|scope| {
        let searching = scope.spawn(|| measure(&search, stop));
        let sample = measure(create, stop);
        (searching.join(), sample)
    });
    let Ok(searched) = searched else {
        anyhow::bail!("the searching thread panicked")
    };
    let searched = searched?;
    say(format_args!(
        "      beside it: {:.0} searches/s as prescribed, {} others",
        searched.rate, searched.failed
    ));
    sample
}

fn plan(request: &Request) -> Plan {
    let length = request.warmup + request.length;
    let connections = request.load.connections();
    let load = match request.load {
        HttpLoad::Connections(connections) => LoadModel::Closed { connections },
        HttpLoad::Rate(rate) => LoadModel::Open(open::arrivals(rate, length)),
    };
    let kinds = request.kinds.iter().enumerate();
    let scenarios = kinds.map(|(place, (_, kind))| Scenario {
        endpoint: place,
        maker: Maker::new(kind.clone(), request.seed, place as u64, &request.target),
        follow: None,
        retry: None,
        weight: match kind {
            Kind::OneOf(uris) => u32::try_from(uris.len()).unwrap_or(u32::MAX),
            _ => 1,
        },
    });
    Plan {
        target: request.target.clone(),
        endpoints: vec![String::new(); request.kinds.len()],
        scenarios: scenarios.collect(),
        load,
        length,
        connections: ConnectionMode::Shared,
        connections_max: connections,
        timeout: request.timeout,
        lateness_max: Duration::from_millis(5),
        warmup: request.warmup,
        threads: request.threads.min(connections),
        seed: request.seed,
    }
}

fn sample(request: &Request, plan: &Plan, collected: &Collected) -> Sample {
    let total = collected.total();
    let p99_of = |hits: Hits| {
        let place = request.kinds.iter().position(|(of, _)| *of == hits)?;
        let latency = &collected.tallies[place].latency;
        (!latency.is_empty()).then(|| latency.value_at_quantile(0.99) as f64)
    };
    let quantile = |quantile| total.latency.value_at_quantile(quantile) as f64;
    Sample {
        rate: total.succeeded() as f64 / plan.measured_seconds(),
        p50_us: quantile(0.5),
        p99_us: quantile(0.99),
        max_us: total.latency.max() as f64,
        few_p99_us: p99_of(Hits::Few),
        fifty_p99_us: p99_of(Hits::Fifty),
        done: total.succeeded(),
        failed: total.failed(),
        ..Sample::default()
    }
}

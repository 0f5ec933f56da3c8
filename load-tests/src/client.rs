//! A plain HTTP client besides the engine: probes, counts, and reading back what was acknowledged.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use futures_util::future::join_all;
use hyper::Uri;
use tokio::task::LocalSet;

use crate::engine::{Answer, Connection, Failure};
use crate::target::Target;
use crate::workload::Prepared;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Bounds an answer: fifty warriors of the greatest size that the contract allows are less than half of it.
const BODY_MAX: usize = 16 << 20;

/// Bounds the wait for a server that only refuses: this long after its last other answer, a 503 counts, whatever
/// its `Retry-After` says.
const PATIENCE: Duration = Duration::from_secs(60);

/// Gets one path below the target's base.
pub fn get(target: &Target, path: &str) -> anyhow::Result<Answer> {
    let mut answer = None;
    get_each(target, &[target.uri(path)?], 1, |_, result| {
        answer = Some(result)
    })?;
    let failed = || format!("GET {path} of {}", target.url);
    answer.context("no request was made")?.with_context(failed)
}

/// Sends a request that may be repeated, until it is answered.
pub fn send(target: &Target, request: &Prepared) -> anyhow::Result<Answer> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start an event loop")?;
    let answer = LocalSet::new().block_on(&runtime, async {
        let (mut kept, patience) = (None, Patience::new());
        patience.exchange(target, request, &mut kept).await
    });
    answer.with_context(|| format!("{} of {}", request.describe(), target.url))
}

/// The count that the API answers; `None` when this target has no such endpoint.
pub fn count(target: &Target) -> anyhow::Result<Option<u64>> {
    #[derive(serde::Deserialize)]
    struct Count {
        count: u64,
    }
    let answer = get(target, "/counting-warriors")?;
    if answer.status != 200 {
        return Ok(None);
    }
    Ok(serde_json::from_slice::<Count>(&answer.body)
        .ok()
        .map(|answer| answer.count))
}

/// Gets every URI over `connections` connections, and hands over each answer with its place.
pub fn get_each(
    target: &Target,
    uris: &[Uri],
    connections: usize,
    handle: impl FnMut(usize, Result<Answer, Failure>),
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start an event loop")?;
    let (next, handle) = (Rc::new(Cell::new(0)), RefCell::new(handle));
    LocalSet::new().block_on(&runtime, async {
        let patience = Patience::new();
        let readers = (0..connections.min(uris.len()).max(1)).map(|_| async {
            let mut kept = None;
            while next.get() < uris.len() {
                let place = next.replace(next.get() + 1);
                let request = Prepared::get(target, uris[place].clone(), 200);
                let result = patience.exchange(target, &request, &mut kept).await;
                (handle.borrow_mut())(place, result);
            }
        });
        join_all(readers).await;
    });
    Ok(())
}

/// The wait that `Retry-After` asks for, shared by all that ask one server.
struct Patience {
    /// When the server last answered anything but a 503.
    answered: Cell<Instant>,
}

impl Patience {
    fn new() -> Patience {
        Patience {
            answered: Cell::new(Instant::now()),
        }
    }

    /// Asks again when the server says to, until it answers something else than 503.
    async fn exchange(
        &self,
        target: &Target,
        request: &Prepared,
        kept: &mut Option<Connection>,
    ) -> Result<Answer, Failure> {
        loop {
            let result = exchange(target, request, kept).await;
            let Ok(answer) = &result else {
                return result;
            };
            if answer.status != 503 {
                self.answered.set(Instant::now());
            }
            let silent = self.answered.get().elapsed();
            match answer.retry_after {
                Some(wait) if silent.saturating_add(wait) <= PATIENCE => {
                    tokio::time::sleep(wait).await;
                }
                _ => return result,
            }
        }
    }
}

async fn exchange(
    target: &Target,
    request: &Prepared,
    kept: &mut Option<Connection>,
) -> Result<Answer, Failure> {
    // It is safe to repeat, and a server may close an idle connection at any moment.
    let mut last = Failure::NotSent;
    for _ in 0..3 {
        let attempt = async {
            let mut connection = match kept.take().filter(Connection::is_usable) {
                Some(connection) => connection,
                None => Connection::open(target).await?,
            };
            let answer = connection
                .send(request.to_request(), BODY_MAX, u64::MAX)
                .await?;
            *kept = Some(connection);
            Ok(answer)
        };
        match tokio::time::timeout(TIMEOUT, attempt).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(failure)) => last = failure,
            Err(_elapsed) => return Err(Failure::Timeout),
        }
    }
    Err(last)
}

//! Monitoring: the statistics of PgBouncer and PostgreSQL, sampled every few seconds by one thread with one connection to
//! each.
//!
//! A scrape reads the last sample and asks nobody, so that neither many scrapers nor a slow database cost anything. A peer
//! that is gone is told by the error and the age of its figures.

mod console;
mod link;
mod server;

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::StartError;
use super::refusal::Refusal;
use crate::config::Monitoring;
use crate::store::{PgBouncerFigures, PostgresFigures};
use link::{Link, Trouble};

/// Time between two looks for a PgBouncer where PostgreSQL itself was found.
const LOOK_FOR_POOLER: Duration = Duration::from_secs(600);

/// The last samples. Clones share them; sampling ends with the last of them.
#[derive(Clone, Debug)]
pub struct Samples(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// None where there is no PgBouncer.
    pooler: Mutex<Option<Sample<PgBouncerFigures>>>,
    server: Mutex<Sample<PostgresFigures>>,
    /// Ends the thread when it is dropped.
    _end: SyncSender<()>,
}

/// The last sample that succeeded.
#[derive(Debug)]
struct Sample<F> {
    figures: F,
    /// When it was taken; the start of sampling before the first.
    at: Instant,
    /// Why a later one failed, or the first has not come yet.
    error: Option<String>,
}

/// What is asked, and whom.
struct Sampler {
    monitoring: Monitoring,
    pooler: Link,
    server: Link,
    /// When PgBouncer is asked again.
    pooler_due: Instant,
}

// === impl Samples ===

impl Samples {
    /// Starts sampling.
    ///
    /// # Errors
    /// When the CA file cannot be used, or the system refuses the thread.
    pub fn start(monitoring: Monitoring) -> Result<Self, StartError> {
        let (end, ended) = sync_channel(0);
        let shared = Arc::new(Shared {
            pooler: Mutex::new(Some(Sample::none())),
            server: Mutex::new(Sample::none()),
            _end: end,
        });
        let sampler = Sampler {
            pooler: Link::new(monitoring.console.clone())?,
            server: Link::new(monitoring.server.clone())?,
            pooler_due: Instant::now(),
            monitoring,
        };
        start_thread(sampler, Arc::downgrade(&shared), ended)?;
        Ok(Self(shared))
    }

    /// PgBouncer; none where there is none.
    pub fn pgbouncer(&self) -> Option<PgBouncerFigures> {
        let sample = self.0.pooler.lock();
        sample.as_ref().map(|sample| PgBouncerFigures {
            error: sample.error.clone(),
            age_seconds: sample.at.elapsed().as_secs_f64(),
            ..sample.figures.clone()
        })
    }

    /// PostgreSQL.
    pub fn postgres(&self) -> PostgresFigures {
        let sample = self.0.server.lock();
        PostgresFigures {
            error: sample.error.clone(),
            age_seconds: sample.at.elapsed().as_secs_f64(),
            ..sample.figures.clone()
        }
    }
}

fn start_thread(mut sampler: Sampler, shared: Weak<Shared>, ended: Receiver<()>) -> io::Result<()> {
    let sample = move || {
        loop {
            let pooler = sampler.ask_pooler();
            let server = sampler.ask_server();
            let Some(shared) = shared.upgrade() else {
                return;
            };
            if let Some(answer) = pooler {
                keep_pooler(&mut shared.pooler.lock(), answer);
            }
            shared.server.lock().keep("PostgreSQL", server);
            drop(shared);
            match ended.recv_timeout(sampler.monitoring.interval) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    };
    let thread = thread::Builder::new().name("sampler".to_owned());
    thread.spawn(sample).map(drop)
}

/// A server that knows no database of the console's name is no PgBouncer.
fn keep_pooler(
    kept: &mut Option<Sample<PgBouncerFigures>>,
    answer: Result<PgBouncerFigures, Trouble>,
) {
    match answer {
        Err(trouble) if trouble.refusal == Refusal::MissingDatabase => *kept = None,
        answer => kept
            .get_or_insert_with(Sample::none)
            .keep("PgBouncer", answer),
    }
}

// === impl Sample ===

impl<F: Default> Sample<F> {
    fn none() -> Self {
        Self {
            figures: F::default(),
            at: Instant::now(),
            error: Some("it was not asked yet".to_owned()),
        }
    }
}

impl<F> Sample<F> {
    fn keep(&mut self, whose: &str, answer: Result<F, Trouble>) {
        match answer {
            Ok(figures) => {
                *self = Self {
                    figures,
                    at: Instant::now(),
                    error: None,
                }
            }
            Err(Trouble { why, .. }) => {
                if self.error.as_ref() != Some(&why) {
                    tracing::warn!(
                        error = why,
                        "the statistics of {whose} cannot be read; see POSTGRES_MONITOR_USER"
                    );
                }
                self.error = Some(why);
            }
        }
    }
}

// === impl Sampler ===

impl Sampler {
    fn ask_pooler(&mut self) -> Option<Result<PgBouncerFigures, Trouble>> {
        if Instant::now() < self.pooler_due {
            return None;
        }
        let Monitoring {
            server,
            pooled_user,
            ..
        } = &self.monitoring;
        let ask = |client: &mut _| console::sample(client, &server.dbname, pooled_user);
        let answer = self.pooler.ask(ask);
        if matches!(&answer, Err(trouble) if trouble.refusal == Refusal::MissingDatabase) {
            self.pooler_due = Instant::now() + LOOK_FOR_POOLER;
        }
        Some(answer)
    }

    fn ask_server(&mut self) -> Result<PostgresFigures, Trouble> {
        self.server.ask(server::sample)
    }
}

//! Monitoring: the statistics of PgBouncer and PostgreSQL, sampled every few seconds by one thread with one connection to
//! each.
//!
//! A scrape reads the last sample and asks nobody, so that neither many scrapers nor a slow database cost anything. A peer
//! that is gone is told by the error and the age of its figures.

mod console;
mod link;
mod server;

use std::io;
use std::net::IpAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::StartError;
use super::refusal::Refusal;
use crate::config::Monitoring;
use crate::store::{PgBouncerFigures, PostgresFigures, Sampled};
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
    /// None before the first.
    figures: Option<F>,
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
            pooler: Link::new(monitoring.console.clone(), |_| Ok(()))?,
            server: Link::new(monitoring.server.clone(), server::prepare)?,
            pooler_due: Instant::now(),
            monitoring,
        };
        start_thread(sampler, Arc::downgrade(&shared), ended)?;
        Ok(Self(shared))
    }

    /// PgBouncer; none where there is none.
    pub fn pgbouncer(&self) -> Option<Sampled<PgBouncerFigures>> {
        self.0.pooler.lock().as_ref().map(Sample::told)
    }

    /// PostgreSQL.
    pub fn postgres(&self) -> Sampled<PostgresFigures> {
        self.0.server.lock().told()
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

impl<F: Clone> Sample<F> {
    fn told(&self) -> Sampled<F> {
        Sampled {
            error: self.error.clone(),
            age_seconds: self.at.elapsed().as_secs_f64(),
            figures: self.figures.clone(),
        }
    }
}

impl<F> Sample<F> {
    fn none() -> Self {
        Self {
            figures: None,
            at: Instant::now(),
            error: Some("it was not asked yet".to_owned()),
        }
    }

    fn keep(&mut self, whose: &str, answer: Result<F, Trouble>) {
        match answer {
            Ok(figures) => {
                *self = Self {
                    figures: Some(figures),
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
        let is_local = is_loopback(&self.monitoring.server.host);
        self.server.ask(|client| {
            let figures = server::sample(client)?;
            Ok(PostgresFigures {
                is_local,
                ..figures
            })
        })
    }
}

/// Whether a host is this machine by its name or address.
fn is_loopback(host: &str) -> bool {
    let address = host.parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_told_before_the_first_sample_and_kept_after_the_last() {
        let mut sample = Sample::<u64>::none();
        let trouble = || Trouble {
            why: "refused".to_owned(),
            refusal: Refusal::Unreachable,
        };
        assert_eq!(sample.told().figures, None);
        sample.keep("PostgreSQL", Err(trouble()));
        assert_eq!(sample.told().figures, None);
        sample.keep("PostgreSQL", Ok(7));
        assert_eq!(sample.told().fresh(60.0), Some(&7));
        sample.keep("PostgreSQL", Err(trouble()));
        let told = sample.told();
        assert_eq!((told.figures, told.fresh(60.0)), (Some(7), None));
        assert_eq!(told.error.as_deref(), Some("refused"));
    }

    #[test]
    fn a_host_is_this_machine_by_its_address() {
        assert!(
            ["localhost", "127.0.0.2", "::1"]
                .into_iter()
                .all(is_loopback)
        );
        assert!(!["postgres", "10.0.0.1", "::2"].into_iter().any(is_loopback));
    }
}

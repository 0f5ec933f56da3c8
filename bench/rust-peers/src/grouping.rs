//! Natural batching on async tasks: the server's lanes, batches and statements, without a thread for each connection.
//!
//! What the server does beyond that is left out: deadlines, repeats, splits, new connections, the proof of each row.

mod batch;
mod link;

use std::sync::Arc;

use tokio_postgres::{Config, Error};
use uuid::Uuid;

use self::link::Link;
use crate::failure::Failure;
use crate::lane::{Batches, Job, Lane, lane};
use crate::warrior::{NewWarrior, Warrior};

/// Bounds a batch, as the server's `BATCH_MAX` does by default.
const BATCH_MAX: usize = 128;
/// Bounds the searches of a statement, as the server's `SEARCH_TERMS_MAX` does.
const SEARCHES_MAX: usize = 8;

/// A request of the lane of finds and counts.
enum Lookup {
    Warrior(Uuid),
    Count,
}

/// The reply to it.
enum Found {
    Warrior(Option<Warrior>),
    Count(i64),
}

/// The lanes, whose tasks live as long as the runtime.
pub(crate) struct Grouping {
    create: Lane<(Uuid, NewWarrior), ()>,
    lookup: Lane<Lookup, Found>,
    search: Lane<String, Vec<Warrior>>,
}

impl Grouping {
    /// Starts the lanes with so many tasks each, every one with a connection of its own.
    pub(crate) async fn start(
        config: &Config,
        workers: usize,
        prepare: bool,
    ) -> Result<Grouping, Error> {
        let (create, creates) = lane(BATCH_MAX);
        let (lookup, lookups) = lane(BATCH_MAX);
        let (search, searches) = lane(SEARCHES_MAX);
        for _ in 0..workers {
            let link = || Link::connect(config, prepare);
            tokio::spawn(work(link().await?, creates.clone(), batch::create));
            tokio::spawn(work(link().await?, lookups.clone(), batch::look_up));
            tokio::spawn(work(link().await?, searches.clone(), batch::search));
        }
        Ok(Grouping {
            create,
            lookup,
            search,
        })
    }

    pub(crate) async fn create(&self, id: Uuid, warrior: NewWarrior) -> Result<(), Failure> {
        self.create.ask((id, warrior)).await
    }

    pub(crate) async fn find(&self, id: Uuid) -> Result<Option<Warrior>, Failure> {
        match self.lookup.ask(Lookup::Warrior(id)).await? {
            Found::Warrior(warrior) => Ok(warrior),
            Found::Count(_) => Err(Failure::Batch),
        }
    }

    pub(crate) async fn count(&self) -> Result<i64, Failure> {
        match self.lookup.ask(Lookup::Count).await? {
            Found::Count(count) => Ok(count),
            Found::Warrior(_) => Err(Failure::Batch),
        }
    }

    pub(crate) async fn search(&self, term: String) -> Result<Vec<Warrior>, Failure> {
        self.search.ask(term).await
    }
}

/// Runs batch after batch. Those whose batch fails are told so when its jobs are dropped.
async fn work<Q, A, R>(
    link: Arc<Link>,
    batches: Batches<Q, A>,
    run: impl Fn(Arc<Link>, Vec<Job<Q, A>>) -> R,
) where
    R: Future<Output = Result<(), Error>>,
{
    loop {
        let jobs = batches.next().await;
        if jobs.is_empty() {
            return;
        }
        if let Err(error) = run(Arc::clone(&link), jobs).await {
            eprintln!("a batch failed: {error}");
        }
    }
}

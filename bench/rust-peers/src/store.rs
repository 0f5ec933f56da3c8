//! The store behind the API: one of two.

use uuid::Uuid;

use crate::failure::Failure;
use crate::grouping::Grouping;
use crate::pooled::Pooled;
use crate::warrior::{NewWarrior, Warrior};

/// A peer's way to the database.
pub(crate) enum Store {
    Pooled(Pooled),
    Grouping(Grouping),
}

impl Store {
    pub(crate) async fn create(&self, id: Uuid, warrior: NewWarrior) -> Result<(), Failure> {
        match self {
            Store::Pooled(store) => store.create(id, &warrior).await,
            Store::Grouping(store) => store.create(id, warrior).await,
        }
    }

    pub(crate) async fn find(&self, id: Uuid) -> Result<Option<Warrior>, Failure> {
        match self {
            Store::Pooled(store) => store.find(id).await,
            Store::Grouping(store) => store.find(id).await,
        }
    }

    pub(crate) async fn search(&self, term: String) -> Result<Vec<Warrior>, Failure> {
        match self {
            Store::Pooled(store) => store.search(&term).await,
            Store::Grouping(store) => store.search(term).await,
        }
    }

    pub(crate) async fn count(&self) -> Result<i64, Failure> {
        match self {
            Store::Pooled(store) => store.count().await,
            Store::Grouping(store) => store.count().await,
        }
    }
}

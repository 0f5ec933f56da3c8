//! A warrior to be stored, and what became of it.

use std::sync::Arc;

use uuid::Uuid;

use crate::warrior::NewWarrior;

/// A warrior to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRow {
    /// Made before the request was queued, so that a repeated attempt is the same row.
    pub id: Uuid,
    /// The id was derived from a client's key: a row that exists already must be the same warrior.
    pub keyed: bool,
    /// The warrior itself.
    pub warrior: Arc<NewWarrior>,
}

/// The outcome of a create.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// A committed row holds it.
    Stored,
    /// A committed row with this id holds another warrior.
    Mismatch,
    /// The row that was in the way is gone; nothing was stored.
    Vanished,
    /// A trigger of others or row-level security kept the row out; nothing was stored, and another attempt would meet
    /// the same.
    Refused,
    /// A committed row is not the warrior that was sent: a trigger of others changed it on its way, its id even, or
    /// the key was used for another one before. Which of these happened cannot be known.
    Altered,
}

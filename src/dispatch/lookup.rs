//! Requests of the find lane, and their replies: warriors by id, and the count.

use uuid::Uuid;

/// A request of the find lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The warrior with this id.
    Warrior(Uuid),
    /// The number of warriors.
    Count,
}

/// Its reply; `A` is a rendered row.
#[derive(Clone, Debug)]
pub enum LookupReply<A> {
    /// The warrior, if there is one.
    Warrior(Option<A>),
    /// The number of warriors.
    Count(i64),
}

//! What the find lane is asked: warriors by id, and how many there are.

use uuid::Uuid;

/// What to look up.
#[derive(Clone, Debug)]
pub enum Lookup {
    /// The warrior with this id.
    Warrior(Uuid),
    /// How many warriors there are.
    Count,
}

/// What was looked up; `A` is what the worker made of a row.
#[derive(Clone, Debug)]
pub enum LookupReply<A> {
    /// The warrior, if there is one.
    Warrior(Option<A>),
    /// How many warriors there are.
    Count(i64),
}

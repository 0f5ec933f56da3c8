//! The description of a drill: a row of the catalogue.

use super::rig::{Needs, Rig, Unanswered};
use super::scene::Scene;

/// One drill.
#[derive(Debug)]
pub struct Drill {
    /// Its name on the command line and in the table.
    pub id: &'static str,
    /// What is broken.
    pub fault: &'static str,
    /// What it must be run with.
    pub needs: Needs,
    /// How the parts of its stack are put together.
    pub rig: Rig,
    /// Which requests may stay without an answer.
    pub unanswered: Unanswered,
    /// Rounds, each with a load and a ledger of its own: quick, and at full length.
    pub rounds: (u32, u32),
    /// Breaks and mends. What it asks for beyond the invariants is said by `Scene::demand`.
    pub breaks: fn(&mut Scene) -> anyhow::Result<()>,
}

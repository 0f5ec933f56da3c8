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

impl Drill {
    /// A drill that needs nothing special, on a plain stack, whose server lives throughout.
    pub(super) const fn plain(
        id: &'static str,
        fault: &'static str,
        rounds: (u32, u32),
        breaks: fn(&mut Scene) -> anyhow::Result<()>,
    ) -> Drill {
        Drill {
            id,
            fault,
            needs: Needs::Nothing,
            rig: Rig::PLAIN,
            unanswered: Unanswered::None,
            rounds,
            breaks,
        }
    }

    /// The same in namespaces of its own.
    pub(super) const fn isolated(self) -> Drill {
        Drill {
            needs: Needs::Isolation,
            ..self
        }
    }

    /// The same on another rig.
    pub(super) const fn on(self, rig: Rig) -> Drill {
        Drill { rig, ..self }
    }

    /// The same that may leave some requests without an answer.
    pub(super) const fn leaving(self, unanswered: Unanswered) -> Drill {
        Drill { unanswered, ..self }
    }
}

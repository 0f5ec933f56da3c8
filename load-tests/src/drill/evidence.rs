//! The evidence of a drill: what its loads have shown, from the moment at which it is found. No error of a later step takes
//! it back.

use anyhow::bail;

use super::figures::Figures;
use super::judge::{self, Breach};
use super::load::Driven;
use super::rig::Unanswered;
use super::settle::Settled;
use crate::verify::Verdict;

/// What was counted, and what was not kept.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    pub(super) figures: Figures,
    pub(super) breaches: Vec<Breach>,
    /// The ledgers of broken promises, and those that could not be judged.
    pub(super) ledgers: Vec<String>,
    /// What the comparison of these ledgers found.
    pub(super) findings: Vec<String>,
}

impl Evidence {
    /// Judges a load: what it was answered, and its ledger, `compared` with what is stored. A ledger that proves nothing
    /// against the server is removed.
    ///
    /// # Errors
    /// Why the load is not judged whole; what it shows nevertheless is kept.
    pub(super) fn judge(
        &mut self,
        driven: &Driven,
        allowed: Unanswered,
        compared: anyhow::Result<(Settled, Verdict)>,
    ) -> anyhow::Result<()> {
        self.figures.count(&driven.collected);
        self.breaches
            .extend(judge::by_answers(&driven.collected, allowed));
        let path = driven.ledger.display().to_string();
        let (settled, verdict) = match compared {
            Ok(compared) => compared,
            Err(error) => {
                self.ledgers.push(path.clone());
                return Err(error.context(format!("the ledger {path} could not be judged")));
            }
        };
        let mut breaches = judge::by_settling(&settled);
        breaches.extend(judge::by_table(&verdict));
        self.figures.verified(&verdict);
        self.figures
            .settled(settled.unknown, settled.settled, settled.took);
        let unrecorded = (driven.collected.unrecorded.as_ref())
            .map(|why| format!("the ledger is not whole: {why}"));
        let unjudged = unrecorded.or_else(|| judge::unproven(&verdict));
        if unjudged.is_some() || breaches.iter().any(Breach::is_promise) {
            // The findings name its lines.
            self.ledgers.push(path.clone());
            self.findings.extend(verdict.findings);
        } else {
            std::fs::remove_file(&driven.ledger).ok();
        }
        self.breaches.extend(breaches);
        match unjudged {
            Some(why) => bail!("the ledger {path} proves less than all: {why}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;
    use crate::collect::Collected;
    use crate::drill::judge::Invariant;
    use crate::drill::load::CREATE;
    use crate::engine::Outcome;

    /// A load with one answer, and a ledger that is there.
    fn driven(outcome: Outcome) -> Driven {
        let mut collected = Collected::new(1);
        collected.tallies[CREATE].outcomes.insert(outcome, 1);
        let name = format!("warrior-load-{}.ledger", uuid::Uuid::new_v4());
        let ledger = std::env::temp_dir().join(name);
        std::fs::write(&ledger, "").expect("written");
        Driven { collected, ledger }
    }

    fn found(present: u64, lost: u64) -> anyhow::Result<(Settled, Verdict)> {
        let verdict = Verdict {
            acknowledged: 2,
            present,
            lost,
            findings: vec!["LOST".to_owned(); lost as usize],
            ..Verdict::default()
        };
        Ok((Settled::default(), verdict))
    }

    /// What the judgement of a load leaves: the invariants that were not kept, the ledgers and findings, and its error.
    fn judged(
        driven: &Driven,
        compared: anyhow::Result<(Settled, Verdict)>,
    ) -> (Vec<Invariant>, usize, Option<String>) {
        let mut evidence = Evidence::default();
        let error = evidence.judge(driven, Unanswered::Any, compared).err();
        let breaches = evidence.breaches.iter().map(|breach| breach.invariant);
        let kept = driven.ledger.exists();
        std::fs::remove_file(&driven.ledger).ok();
        assert_eq!(kept, evidence.ledgers.len() == 1, "{evidence:?}");
        assert!(evidence.findings.len() <= evidence.ledgers.len());
        assert_eq!(evidence.figures.created, 1);
        let said = error.map(|error| format!("{error:#}"));
        (breaches.collect(), evidence.ledgers.len(), said)
    }

    #[test]
    fn a_ledger_stays_where_it_proves_a_breach_or_was_not_judged() {
        let fine = || driven(Outcome::Prescribed(201));
        assert_eq!(judged(&fine(), found(2, 0)), (vec![], 0, None));
        assert_eq!(judged(&fine(), found(1, 1)), (vec![Invariant::I1], 1, None));
        // Neither there nor lost, as far as is known.
        let (breaches, ledgers, error) = judged(&fine(), found(1, 0));
        assert_eq!((breaches, ledgers), (vec![], 1));
        assert!(error.is_some_and(|why| why.contains("1 acknowledged writes could not be read")));
        let (breaches, ledgers, error) = judged(&fine(), Err(anyhow!("no connection")));
        assert_eq!((breaches, ledgers), (vec![], 1));
        assert!(error.is_some_and(|why| why.contains("no connection")));
    }

    #[test]
    fn what_a_ledger_that_is_not_whole_proves_is_a_breach_all_the_same() {
        let mut torn = driven(Outcome::Prescribed(201));
        torn.collected.unrecorded = Some("no space left".to_owned());
        let (breaches, ledgers, error) = judged(&torn, found(1, 1));
        assert_eq!((breaches, ledgers), (vec![Invariant::I1], 1));
        assert!(error.is_some_and(|why| why.contains("no space left")));
    }

    #[test]
    fn answers_are_judged_whatever_becomes_of_the_ledger() {
        for compared in [found(2, 0), Err(anyhow!("no connection"))] {
            let mut driven = driven(Outcome::Prescribed(201));
            let outcomes = &mut driven.collected.tallies[CREATE].outcomes;
            outcomes.insert(Outcome::Other(500), 1);
            let (breaches, ..) = judged(&driven, compared);
            assert_eq!(breaches, [Invariant::I5]);
        }
    }
}

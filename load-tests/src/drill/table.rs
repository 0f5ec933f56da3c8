//! The table of a campaign: a row for each drill, and their sum, which is counted from the rows.

use serde::Serialize;

use super::evidence::Evidence;
use super::figures::Figures;
use super::judge::Breach;
use super::kind::Drill;
use crate::commit::commit;
use crate::exit::Exit;
use crate::machine::Machine;

/// What a campaign at full length is to reach.
const KILLS_LEAST: u64 = 100;
const ACKNOWLEDGED_LEAST: u64 = 1_000_000;

/// A drill and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its name.
    pub id: String,
    /// What was broken.
    pub fault: String,
    /// PostgreSQL's version; empty where it is not known.
    pub postgres: String,
    /// PgBouncer's.
    pub pooler: String,
    /// What was counted.
    pub figures: Figures,
    /// What was not kept.
    pub breaches: Vec<Breach>,
    /// Why it was not done or not judged, or not to its end.
    pub not_done: Option<String>,
    /// The ledgers of broken promises, and those that could not be judged.
    pub evidence: Vec<String>,
    /// What the comparison of those ledgers found.
    pub findings: Vec<String>,
}

/// The negative control.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Controlled {
    /// Kills of a database that does not wait for its disk.
    pub rounds: u64,
    /// Creates that it acknowledged.
    pub acknowledged: u64,
    /// Of those: found to be lost, as must be.
    pub lost: u64,
}

/// A campaign.
#[derive(Clone, Debug, Serialize)]
pub struct Table {
    /// When it began.
    pub started_at: String,
    /// The commit of the work tree.
    pub commit: Option<String>,
    /// The machine.
    pub machine: Machine,
    /// The command that measures it again.
    pub command: String,
    /// Whether it was as long as the full table asks for.
    pub whole: bool,
    /// The negative control; none where no stack of this program was broken.
    pub control: Option<Controlled>,
    /// The drills.
    pub rows: Vec<Row>,
    /// The drills that were asked for and are not among them: not begun yet, or interrupted.
    pub left_out: Vec<String>,
}

impl Row {
    pub(super) fn of(drill: &Drill) -> Row {
        Row::named(drill.id, drill.fault)
    }

    pub(super) fn named(id: &str, fault: &str) -> Row {
        Row {
            id: id.to_owned(),
            fault: fault.to_owned(),
            postgres: String::new(),
            pooler: String::new(),
            figures: Figures::default(),
            breaches: Vec::new(),
            not_done: None,
            evidence: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// Enters what a load, or a round, has shown.
    pub(super) fn enter(&mut self, evidence: Evidence) {
        self.figures.add(&evidence.figures);
        self.breaches.extend(evidence.breaches);
        self.evidence.extend(evidence.ledgers);
        self.findings.extend(evidence.findings);
    }

    /// How it ended.
    pub fn exit(&self) -> Exit {
        if self.breaches.iter().any(Breach::is_promise) {
            Exit::Lost
        } else if self.not_done.is_some() {
            Exit::Invalid
        } else if self.breaches.is_empty() {
            Exit::Passed
        } else {
            Exit::ThresholdMissed
        }
    }

    /// What is said about it in a line: its verdict, and why.
    pub(super) fn verdict(&self) -> String {
        let breaches = self.breaches.iter().map(Breach::to_string);
        let why: Vec<String> = self.not_done.clone().into_iter().chain(breaches).collect();
        match self.exit() {
            Exit::Passed => "kept".to_owned(),
            exit => format!("{exit}: {}", why.join("; ")),
        }
    }
}

impl Table {
    /// A campaign that begins now. What is planned, each by its name, is left out until it is done.
    pub(super) fn begin<D>(command: &str, planned: Vec<(String, D)>) -> (Table, Vec<D>) {
        let (left_out, planned) = planned.into_iter().unzip();
        let table = Table {
            started_at: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            commit: commit(),
            machine: Machine::look(),
            command: command.to_owned(),
            whole: false,
            control: None,
            rows: Vec::new(),
            left_out,
        };
        (table, planned)
    }

    /// The sum of the rows.
    pub fn total(&self) -> Figures {
        let mut total = Figures::default();
        self.rows.iter().for_each(|row| total.add(&row.figures));
        total
    }

    /// What a campaign at full length has not reached.
    pub fn missed(&self) -> Vec<String> {
        let total = self.total();
        let mut missed = Vec::new();
        let mut aim = |reached: u64, least: u64, what: &str| {
            if self.whole && self.left_out.is_empty() && reached < least {
                missed.push(format!("{reached} {what}; a whole campaign has {least}"));
            }
        };
        aim(total.kills, KILLS_LEAST, "kills");
        aim(
            total.acknowledged,
            ACKNOWLEDGED_LEAST,
            "acknowledged writes",
        );
        missed
    }

    /// How the campaign ended: a lost write before all else.
    pub fn exit(&self) -> Exit {
        let blind = (self.control.as_ref()).is_some_and(|control| control.lost == 0);
        let exits: Vec<Exit> = self.rows.iter().map(Row::exit).collect();
        let any = |exit| exits.contains(&exit);
        if any(Exit::Lost) {
            Exit::Lost
        } else if blind || any(Exit::Invalid) || exits.is_empty() || !self.left_out.is_empty() {
            Exit::Invalid
        } else if any(Exit::ThresholdMissed) || !self.missed().is_empty() {
            Exit::ThresholdMissed
        } else {
            Exit::Passed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::judge::Invariant;

    fn table(rows: Vec<Row>) -> Table {
        Table {
            started_at: String::new(),
            commit: None,
            machine: Machine::default(),
            command: String::new(),
            whole: false,
            control: Some(Controlled {
                rounds: 1,
                acknowledged: 10,
                lost: 1,
            }),
            rows,
            left_out: Vec::new(),
        }
    }

    fn row(breaches: &[Invariant]) -> Row {
        let mut row = Row::named("X1", "nothing");
        row.figures.acknowledged = 10;
        row.figures.healed_ms = 7;
        row.breaches = (breaches.iter())
            .map(|kind| Breach::of(*kind, "why"))
            .collect();
        row
    }

    #[test]
    fn the_sum_is_counted_from_the_rows() {
        let mut longer = row(&[]);
        longer.figures.healed_ms = 9;
        let table = table(vec![row(&[]), longer]);
        assert_eq!(
            (table.total().acknowledged, table.total().healed_ms),
            (20, 9)
        );
    }

    #[test]
    fn a_broken_promise_goes_before_a_drill_that_was_not_done_and_that_before_a_late_answer() {
        let mut undone = row(&[]);
        undone.not_done = Some("no program".to_owned());
        let (lost, late) = (row(&[Invariant::I1]), row(&[Invariant::I6]));
        let exit = |rows: &[&Row]| table(rows.iter().copied().cloned().collect()).exit();
        assert_eq!(exit(&[&row(&[])]), Exit::Passed);
        assert_eq!(exit(&[&row(&[]), &late]), Exit::ThresholdMissed);
        assert_eq!(exit(&[&late, &undone]), Exit::Invalid);
        assert_eq!(exit(&[&late, &undone, &lost]), Exit::Lost);
    }

    #[test]
    fn a_control_that_finds_nothing_makes_all_invalid() {
        let mut blind = table(vec![row(&[])]);
        blind.control = Some(Controlled::default());
        assert_eq!(blind.exit(), Exit::Invalid);
    }

    #[test]
    fn a_campaign_that_left_drills_out_has_not_passed_and_hides_no_broken_promise() {
        let mut cut = table(vec![row(&[]), row(&[Invariant::I6])]);
        cut.whole = true;
        cut.left_out = vec!["X2".to_owned()];
        assert_eq!((cut.exit(), cut.missed().len()), (Exit::Invalid, 0));
        cut.rows.push(row(&[Invariant::I1]));
        assert_eq!(cut.exit(), Exit::Lost);
    }

    #[test]
    fn a_whole_campaign_has_enough_kills_and_writes() {
        let mut whole = table(vec![row(&[])]);
        whole.whole = true;
        assert_eq!(
            (whole.missed().len(), whole.exit()),
            (2, Exit::ThresholdMissed)
        );
    }
}

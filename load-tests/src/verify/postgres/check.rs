//! The check of a ledger against rows, one at a time: each row is claimed by an id, else by its content.

use std::collections::HashMap;

use crate::ledger::{Attempt, Fate, Stored};
use crate::verify::Verdict;

/// The rows that were seen so far, beside the ledger.
pub(super) struct Check<'a> {
    attempts: &'a [Attempt],
    /// Rows found for each attempt.
    found: Vec<u32>,
    by_id: HashMap<&'a str, usize>,
    by_content: HashMap<&'a Stored, Vec<usize>>,
    verdict: Verdict,
}

impl<'a> Check<'a> {
    pub(super) fn new(attempts: &'a [Attempt]) -> Check<'a> {
        let mut by_id = HashMap::new();
        let mut by_content: HashMap<&Stored, Vec<usize>> = HashMap::new();
        let mut verdict = Verdict {
            way: "postgres".to_owned(),
            ..Verdict::default()
        };
        for (place, attempt) in attempts.iter().enumerate() {
            if let Some(id) = id_of(&attempt.fate)
                && let Some(earlier) = by_id.insert(id, place)
            {
                verdict.duplicates += 1;
                let (a, b) = (attempts[earlier].number, attempt.number);
                verdict.find(format!("requests {a} and {b} were given the same id {id}"));
            }
            if let Some(warrior) = &attempt.warrior {
                by_content.entry(warrior).or_default().push(place);
            }
        }
        Check {
            attempts,
            found: vec![0; attempts.len()],
            by_id,
            by_content,
            verdict,
        }
    }

    pub(super) fn row(&mut self, id: &str, stored: &Stored, recent: bool) {
        if let Some(place) = self.by_id.get(id).copied() {
            return self.claimed(place, id, stored);
        }
        // No answer named this id. Only the content can say where the row comes from.
        let candidates: &[usize] = match self.by_content.get(stored) {
            Some(candidates) if recent => candidates,
            _ => &[],
        };
        let free = |place: &&usize| self.found[**place] == 0;
        let may_be_here = candidates
            .iter()
            .filter(free)
            .find(|place| {
                matches!(
                    self.attempts[**place].fate,
                    Fate::Unknown { location: None } | Fate::AcknowledgedWithoutLocation
                )
            })
            .or_else(|| candidates.iter().find(free))
            .or(candidates.first())
            .copied();
        let Some(place) = may_be_here else {
            *self.verdict.foreign.get_or_insert(0) += 1;
            return;
        };
        let number = self.attempts[place].number;
        match &self.attempts[place].fate {
            Fate::Unknown { location: None } | Fate::AcknowledgedWithoutLocation
                if self.found[place] == 0 =>
            {
                self.found[place] = 1;
            }
            Fate::Refused => {
                self.verdict.refused_but_stored += 1;
                self.verdict.find(format!(
                    "request {number} was refused (503) but is row {id}"
                ));
            }
            Fate::Rejected { status } => {
                self.verdict.rejected_but_stored += 1;
                self.verdict.find(format!(
                    "request {number} was rejected ({status}) but is row {id}"
                ));
            }
            _ => {
                self.verdict.duplicates += 1;
                self.verdict.find(format!(
                    "request {number} is there a second time, as row {id}"
                ));
            }
        }
    }

    fn claimed(&mut self, place: usize, id: &str, stored: &Stored) {
        let attempt = &self.attempts[place];
        self.found[place] += 1;
        if self.found[place] > 1 {
            self.verdict.duplicates += 1;
            self.verdict.find(format!(
                "id {id} is in the table {} times",
                self.found[place]
            ));
            return;
        }
        let different = match &attempt.warrior {
            Some(sent) => sent.differences(stored),
            None => vec!["everything"],
        };
        if !different.is_empty() {
            self.verdict.altered += 1;
            let number = attempt.number;
            self.verdict.find(format!(
                "row {id} differs from request {number} in {}",
                different.join(", ")
            ));
        } else if matches!(attempt.fate, Fate::Acknowledged { .. }) {
            self.verdict.present += 1;
        }
    }

    pub(super) fn finish(mut self) -> Verdict {
        for (attempt, found) in self.attempts.iter().zip(&self.found) {
            let verdict = &mut self.verdict;
            verdict.creates += 1;
            match &attempt.fate {
                Fate::Acknowledged { location } => {
                    verdict.acknowledged += 1;
                    if *found == 0 {
                        verdict.lost += 1;
                        verdict.find(format!(
                            "LOST: request {} was 201, {location}",
                            attempt.number
                        ));
                    }
                }
                Fate::AcknowledgedWithoutLocation => {
                    verdict.acknowledged += 1;
                    verdict.without_location += 1;
                    verdict.find(format!(
                        "request {} was 201 without a Location",
                        attempt.number
                    ));
                }
                Fate::Refused => verdict.refused += 1,
                Fate::Rejected { .. } => verdict.rejected += 1,
                Fate::Unsent => verdict.unsent += 1,
                Fate::Unknown { .. } if *found > 0 => verdict.unknown_stored += 1,
                Fate::Unknown { .. } => verdict.unknown_absent += 1,
            }
        }
        self.verdict.foreign.get_or_insert(0);
        self.verdict
    }
}

/// The id in the server's answer, which is the last part of the location.
fn id_of(fate: &Fate) -> Option<&str> {
    match fate {
        Fate::Acknowledged { location }
        | Fate::Unknown {
            location: Some(location),
        } => location.rsplit('/').next(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stored(name: &str) -> Stored {
        let body = json!({"name": name, "dob": "2000-01-01", "fight_skills": ["Judo"]});
        serde_json::from_value(body).unwrap()
    }

    fn attempt(number: u64, name: &str, fate: Fate) -> Attempt {
        Attempt {
            number,
            warrior: Some(stored(name)),
            fate,
            key: None,
        }
    }

    fn acknowledged(id: &str) -> Fate {
        Fate::Acknowledged {
            location: format!("/warrior/{id}"),
        }
    }

    fn unknown(id: Option<&str>) -> Fate {
        Fate::Unknown {
            location: id.map(|id| format!("/warrior/{id}")),
        }
    }

    #[test]
    fn every_kind_of_broken_promise_is_told_from_every_other() {
        let attempts = [
            attempt(0, "kept", acknowledged("a")),
            attempt(1, "lost", acknowledged("b")),
            attempt(2, "changed", acknowledged("c")),
            attempt(3, "refused", Fate::Refused),
            attempt(4, "refused but there", Fate::Refused),
            attempt(5, "cut, there", unknown(None)),
            attempt(6, "cut, not there", unknown(None)),
            attempt(7, "504, there", unknown(Some("h"))),
            attempt(8, "504, not there", unknown(Some("i"))),
            attempt(9, "rejected but there", Fate::Rejected { status: 422 }),
        ];
        let mut check = Check::new(&attempts);
        for (id, name, recent) in [
            ("a", "kept", true),
            ("c", "CHANGED", true),
            ("x", "refused but there", true),
            ("y", "cut, there", true),
            ("h", "504, there", true),
            ("z", "rejected but there", true),
            ("twice", "kept", true),
            ("somebody else's", "foreign", true),
            ("an earlier run's", "kept", false),
        ] {
            check.row(id, &stored(name), recent);
        }
        let v = check.finish();
        assert_eq!((v.creates, v.acknowledged, v.present), (10, 3, 1));
        assert_eq!((v.lost, v.altered, v.duplicates), (1, 1, 1));
        assert_eq!(
            (v.refused, v.refused_but_stored, v.rejected_but_stored),
            (2, 1, 1)
        );
        assert_eq!(
            (v.unknown_stored, v.unknown_absent, v.foreign),
            (2, 2, Some(2))
        );
        assert!(!v.holds());
        let findings = v.findings.join("\n");
        for part in [
            "row c differs",
            "name",
            "LOST: request 1",
            "second time, as row twice",
        ] {
            assert!(findings.contains(part), "{part} in {findings}");
        }
    }

    #[test]
    fn an_unknown_outcome_is_never_a_loss() {
        let attempts = [
            attempt(0, "a", unknown(None)),
            attempt(1, "b", unknown(Some("b"))),
        ];
        let verdict = Check::new(&attempts).finish();
        assert!(verdict.holds());
        assert_eq!(verdict.unknown_absent, 2);
    }
}

//! The verdict on a ledger: every promise that was kept, broken, or could not be settled.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many findings of each kind are kept in full; all are counted.
const FINDINGS_MAX: usize = 100;

/// The verdict on a ledger.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// `http` or `postgres`.
    pub way: String,
    /// Creates in the ledger.
    pub creates: u64,
    /// Answered 201.
    pub acknowledged: u64,
    /// Of those: there, once, field for field.
    pub present: u64,
    /// Of those: not there.
    pub lost: u64,
    /// Of those: there, with other fields.
    pub altered: u64,
    /// Rows that are there a second time under another id.
    pub duplicates: u64,
    /// Answered 201 without a `Location`.
    pub without_location: u64,
    /// Answered 503.
    pub refused: u64,
    /// Of those: there nevertheless.
    pub refused_but_stored: u64,
    /// Answered 4xx.
    pub rejected: u64,
    /// Of those: there nevertheless.
    pub rejected_but_stored: u64,
    /// Unknown (504, cut, timed out) and found.
    pub unknown_stored: u64,
    /// Unknown and not found.
    pub unknown_absent: u64,
    /// Creates that could not be settled this way.
    pub undetermined: u64,
    /// Creates that never left.
    pub unsent: u64,
    /// Rows that this ledger says nothing about (only in PostgreSQL).
    pub foreign: Option<u64>,
    /// The count that `GET /counting-warriors` answers.
    pub count_by_api: Option<u64>,
    /// `count(*)`, or by HTTP the count before the run and everything found since.
    pub count_expected: Option<u64>,
    /// The first findings, each naming its row.
    pub findings: Vec<String>,
}

impl Verdict {
    /// Whether every promise was kept, as far as could be determined.
    pub fn holds(&self) -> bool {
        self.violations() == 0 && self.count_agrees() != Some(false)
    }

    /// Promises that were broken.
    pub fn violations(&self) -> u64 {
        self.lost
            + self.altered
            + self.duplicates
            + self.without_location
            + self.refused_but_stored
            + self.rejected_but_stored
    }

    /// Acknowledged writes that could not be read back: neither there nor lost, as far as is known.
    pub fn unproven(&self) -> u64 {
        let settled = self.present + self.lost + self.altered + self.without_location;
        self.acknowledged.saturating_sub(settled)
    }

    /// The headline: what is lost of what was read back, and what could not be.
    pub fn headline(&self) -> String {
        let (acknowledged, unread) = (self.acknowledged, self.unproven());
        let read_back = acknowledged - unread;
        match (unread, read_back) {
            (0, _) => format!("lost {} of {acknowledged} acknowledged", self.lost),
            (_, 0) => format!("none of {acknowledged} acknowledged could be read back"),
            _ => format!(
                "lost {} of {read_back} read back; {unread} of {acknowledged} acknowledged could \
                 not be read back",
                self.lost
            ),
        }
    }

    /// Whether the API's count is the table's; `None` when one of them is not known.
    pub fn count_agrees(&self) -> Option<bool> {
        Some(self.count_by_api? == self.count_expected?)
    }

    /// Whether a write of unknown outcome that was committed while it was being judged would explain
    /// all that is wrong.
    pub fn may_still_settle(&self) -> bool {
        self.count_agrees() == Some(false) && self.violations() == 0 && self.unknown_absent > 0
    }

    pub(super) fn find(&mut self, finding: String) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What only a look at every row can find is not said to be absent by HTTP.
        let only_by_rows = |found: u64| match self.way.as_str() {
            "http" => "not looked for".to_owned(),
            _ => found.to_string(),
        };
        writeln!(
            f,
            "{} (by {}: {} present field for field, {} altered, twice: {})",
            self.headline(),
            self.way,
            self.present,
            self.altered,
            only_by_rows(self.duplicates)
        )?;
        writeln!(
            f,
            "refused {} (stored nevertheless: {}), rejected {} (stored nevertheless: {})",
            self.refused,
            self.refused_but_stored,
            self.rejected,
            only_by_rows(self.rejected_but_stored)
        )?;
        writeln!(
            f,
            "unknown {}: {} stored, {} not; undetermined {}",
            self.unknown_stored + self.unknown_absent,
            self.unknown_stored,
            self.unknown_absent,
            self.undetermined
        )?;
        let shown = |count: Option<u64>| count.map_or("not known".to_owned(), |n| n.to_string());
        let judged = match self.count_agrees() {
            Some(true) => "equal",
            Some(false) => "DIFFERENT",
            None => "not compared",
        };
        write!(
            f,
            "count: the API says {}, {} {}: {judged}",
            shown(self.count_by_api),
            if self.way == "postgres" {
                "count(*)"
            } else {
                "expected"
            },
            shown(self.count_expected)
        )?;
        for finding in &self.findings {
            write!(f, "\n  {finding}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headline_counts_what_was_read_back() {
        let of = |present, lost| {
            let counts = Verdict {
                acknowledged: 10,
                present,
                lost,
                ..Verdict::default()
            };
            counts.headline()
        };
        assert_eq!(of(10, 0), "lost 0 of 10 acknowledged");
        assert_eq!(
            of(5, 1),
            "lost 1 of 6 read back; 4 of 10 acknowledged could not be read back"
        );
        assert_eq!(of(0, 0), "none of 10 acknowledged could be read back");
    }

    #[test]
    fn what_http_cannot_see_is_not_said_to_be_absent() {
        let shown = |way: &str| {
            let way = way.to_owned();
            Verdict {
                way,
                ..Verdict::default()
            }
            .to_string()
        };
        assert_eq!(shown("http").matches("not looked for").count(), 2);
        assert_eq!(shown("postgres").matches("not looked for").count(), 0);
    }
}

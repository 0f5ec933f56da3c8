//! Retry policy: which failures of a batch are repeated, and how often.

use tokio::time::Instant;

use crate::store::Class;

/// Failures of these classes after which a batch is given up. A repeat may meet another connection that the same crash has
/// cut; but a statement that makes the database crash must not do so again and again.
const UNKNOWN_MAX: u32 = 3;
const ROLLED_BACK_MAX: u32 = 2;
/// Attempts without a connection after which the database may be out: a single one may have used up the connections that
/// were cut, before others are made.
const NOT_SENT_MIN: u32 = 2;

/// The attempts at one batch that have failed.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    unknown: u32,
    rolled_back: u32,
    not_sent: Option<NotSent>,
}

/// Attempts without a connection, one after the other.
#[derive(Clone, Copy, Debug)]
struct NotSent {
    since: Instant,
    number: u32,
}

impl Attempts {
    /// Counts a failure of an attempt that began at `began`; whether it is one too many of its class.
    pub(super) fn failed(&mut self, class: Class, began: Instant) -> bool {
        if class == Class::NotSent {
            let NotSent { since, number } = self.not_sent.unwrap_or(NotSent {
                since: began,
                number: 0,
            });
            let number = number + 1;
            self.not_sent = Some(NotSent { since, number });
            return false;
        }
        self.not_sent = None;
        match class {
            Class::Unknown => self.unknown += 1,
            Class::RolledBack => self.rolled_back += 1,
            Class::NotSent | Class::Data | Class::TooCostly | Class::ReadFailed => {}
        }
        self.unknown >= UNKNOWN_MAX || self.rolled_back >= ROLLED_BACK_MAX
    }

    /// Forgets the attempts without a connection: the database has answered somebody since, so that they prove no outage any
    /// more, and new ones count.
    pub(super) fn forget_not_sent(&mut self) {
        self.not_sent = None;
    }

    /// Since when there was no connection, where that may be the database's fault, or no other attempt will tell.
    pub(super) fn no_connection_since(&self, no_other: bool) -> Option<Instant> {
        let NotSent { since, number } = self.not_sent?;
        (number >= NOT_SENT_MIN || no_other).then_some(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_sent_is_repeated_as_often_as_it_takes_and_the_rest_a_few_times() {
        use Class::{NotSent, RolledBack, Unknown};
        for (classes, repeats) in [
            (&[NotSent; 100][..], 100),
            (&[Unknown, NotSent, Unknown, NotSent, Unknown], 4),
            (&[RolledBack, NotSent, RolledBack], 2),
            (&[Unknown, RolledBack, Unknown, Unknown], 3),
        ] {
            let mut attempts = Attempts::default();
            let repeated = |class: &&Class| !attempts.failed(**class, Instant::now());
            let number = classes.iter().take_while(repeated).count();
            assert_eq!(number, repeats, "{classes:?}");
        }
    }

    #[test]
    fn the_database_may_be_out_after_two_attempts_in_a_row_without_a_connection() {
        let mut attempts = Attempts::default();
        let first = Instant::now();
        attempts.failed(Class::NotSent, first);
        assert_eq!(attempts.no_connection_since(false), None);
        assert_eq!(attempts.no_connection_since(true), Some(first));
        attempts.failed(Class::NotSent, Instant::now());
        assert_eq!(attempts.no_connection_since(false), Some(first));
        attempts.failed(Class::Unknown, Instant::now());
        assert_eq!(attempts.no_connection_since(true), None);
    }

    #[test]
    fn an_answer_to_somebody_else_makes_new_attempts_count() {
        let mut attempts = Attempts::default();
        let began = Instant::now();
        for _ in 0..NOT_SENT_MIN {
            attempts.failed(Class::NotSent, began);
        }
        assert_eq!(attempts.no_connection_since(false), Some(began));
        attempts.forget_not_sent();
        let later = Instant::now();
        attempts.failed(Class::NotSent, later);
        assert_eq!(attempts.no_connection_since(false), None);
        attempts.failed(Class::NotSent, later);
        assert_eq!(attempts.no_connection_since(false), Some(later));
    }
}

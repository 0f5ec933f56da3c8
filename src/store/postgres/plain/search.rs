//! Search by one statement for each tier, each of which an index of its own can serve. A later tier is asked while there are
//! fewer than 50 hits.
//!
//! The planner chooses by the term, between the index of the tier and the order of names; so these statements have no
//! name, by which it would soon plan without one. Each has its own snapshot: so each leaves out the rows of earlier tiers by
//! their values, too, since some may have come meanwhile. A row that is changed meanwhile may be missed, or found once; the API
//! changes none.

use postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::super::error::StoreError;
use super::super::read::{ID, bounded};
use super::super::session::Session;
use super::super::statements::plain::{DATES, NAMES, SKILLS, SKILLS_APART};
use crate::warrior::Warrior;

/// Most hits of a search.
const HITS_MAX: usize = 50;
/// Characters of a date as it is written.
const DATE_LENGTH: usize = 10;
/// What stands between two skills in the text that is searched.
const SEPARATOR: char = '\u{1f}';

impl Session<'_> {
    /// Searches for each of these terms, as [`Session::search`] does.
    pub(in super::super) fn search_plain(
        &mut self,
        terms: &[&str],
        mut take: impl FnMut(usize, Option<&Warrior>),
    ) -> Result<(), StoreError> {
        for (place, term) in terms.iter().enumerate() {
            self.search_tiers(term, |hit| take(place, hit))?;
        }
        Ok(())
    }

    fn search_tiers(
        &mut self,
        term: &str,
        mut take: impl FnMut(Option<&Warrior>),
    ) -> Result<(), StoreError> {
        let pattern = escaped(term);
        let mut found: Vec<Uuid> = Vec::new();
        for sql in [Some(NAMES), dates(term), Some(skills(term))] {
            let Some(sql) = sql.filter(|_| found.len() < HITS_MAX) else {
                continue;
            };
            let most = (HITS_MAX - found.len()) as i64;
            let before = found.clone();
            let params: [(&(dyn ToSql + Sync), Type); 3] = [
                (&pattern, Type::TEXT),
                (&most, Type::INT8),
                (&before, Type::UUID_ARRAY),
            ];
            // Nothing was found before the names.
            let params = match sql {
                NAMES => &params[..2],
                _ => &params[..],
            };
            self.each_planned_anew(sql, params, |row| {
                found.push(row.try_get(ID)?);
                take(bounded(row)?.as_ref());
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// The statement for dates, where one can hold the term.
fn dates(term: &str) -> Option<&'static str> {
    let written = term.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    (written && term.len() <= DATE_LENGTH).then_some(DATES)
}

fn skills(term: &str) -> &'static str {
    match term.contains(SEPARATOR) {
        true => SKILLS_APART,
        false => SKILLS,
    }
}

/// The term as a pattern of LIKE that stands for itself.
fn escaped(term: &str) -> String {
    let mut pattern = String::with_capacity(term.len());
    for c in term.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_themselves() {
        assert_eq!(escaped("100%_\\é"), "100\\%\\_\\\\é");
    }

    #[test]
    fn a_date_is_searched_for_what_it_can_hold() {
        for term in ["1985-03-12", "-", "0"] {
            assert_eq!(dates(term), Some(DATES), "{term}");
        }
        for term in ["1985-03-123", "1985/03", "1985 ", "a", "١"] {
            assert_eq!(dates(term), None, "{term}");
        }
    }

    #[test]
    fn a_term_that_may_lie_across_skills_is_compared_with_each() {
        assert_eq!(skills("a\u{1f}b"), SKILLS_APART);
        assert_eq!(skills("a b"), SKILLS);
    }
}

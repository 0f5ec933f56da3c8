//! Search terms by class: what they match decides how they are found.

mod real;

use std::collections::BTreeSet;
use std::sync::Arc;

use hyper::Uri;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use crate::fill::{Contents, MARKED_EVERY, row};
use crate::marks;
use warrior_load::schedule::stream;
use warrior_load::target::Target;
use warrior_load::workload::MARTIAL_ARTS;

/// Bounds the different terms of a class; the one with letters has 26.
const TERMS: u64 = 500;

/// Terms that are looked for in the same way.
#[derive(Clone, Debug)]
pub(crate) struct Class {
    /// The property that the terms share.
    pub name: &'static str,
    /// The terms.
    pub terms: Vec<String>,
}

impl Class {
    /// The requests.
    pub(crate) fn uris(&self, target: &Target) -> anyhow::Result<Arc<[Uri]>> {
        self.terms.iter().map(|term| uri(target, term)).collect()
    }
}

/// The search for one term.
pub(crate) fn uri(target: &Target, term: &str) -> anyhow::Result<Uri> {
    let term = utf8_percent_encode(term, NON_ALPHANUMERIC);
    target.uri(&format!("/warrior?t={term}"))
}

/// The classes for a table of `rows` rows as [`crate::fill`] makes them.
pub(crate) fn classes(rows: u64, contents: Contents) -> Vec<Class> {
    let draw = |name: &'static str, make: &dyn Fn(&mut Pcg64Mcg) -> Option<String>| {
        let terms: BTreeSet<String> = (0..TERMS)
            .filter_map(|n| make(&mut stream(0x7465_726d, u64::from(name.as_bytes()[0]), n)))
            .collect();
        Class {
            name,
            terms: terms.into_iter().collect(),
        }
    };
    let any_row = |random: &mut Pcg64Mcg| row(random.random_range(0..rows), contents);
    let marks = (rows + MARKED_EVERY / 2) / MARKED_EVERY;
    let marked = |random: &mut Pcg64Mcg| (marks > 0).then(|| random.random_range(0..marks));
    let one_of = |random: &mut Pcg64Mcg, from: &[&str]| {
        Some(from[random.random_range(0..from.len())].to_owned())
    };
    let date = |random: &mut Pcg64Mcg| any_row(random).dob;
    let mut classes = vec![
        draw("no match", &|r| Some(letters(r, 12))),
        draw("rare: 8 letters of one name", &|r| {
            part(&any_row(r).name, 8, r)
        }),
        draw("frequent: part of many skills", &|r| {
            one_of(r, &["ing", "tsu", "kwon", "jitsu", "kung", "aga"])
        }),
        draw("one letter", &|r| Some(letters(r, 1))),
        draw("two letters, frequent", &|r| Some(letters(r, 2))),
        draw("two letters, 2 % of the names", &|r| {
            one_of(r, &marks::PAIRS)
        }),
        draw("two letters, rare", &|r| {
            one_of(r, &["ži", "žk", "ña", "dú", "Ži", "ÑA"])
        }),
        draw("two letters, absent", &|r| {
            let second = letters(r, 1);
            one_of(r, &["ø", "ß", "щ", "ǆ", "ŵ"]).map(|first| first + &second)
        }),
        draw("three letters", &|r| Some(letters(r, 3))),
        draw("date, whole", &|r| Some(date(r))),
        draw("date, month", &|r| Some(date(r)[..7].to_owned())),
        draw("date, year", &|r| Some(date(r)[..4].to_owned())),
        draw("date, month and day", &|r| Some(date(r)[5..].to_owned())),
        draw("skill, frequent", &|r| one_of(r, &MARTIAL_ARTS)),
        draw("skill, 4 % of the rows", &|r| {
            one_of(r, &[marks::SKILL, "Vovi", "ovina", "vinam"])
        }),
        draw("skill, rare", &|r| {
            let listed = any_row(r).skills.swap_remove(0);
            let mark = marked(r)?;
            Some(match contents {
                Contents::Laboratory | Contents::RealNames => format!("Lethwei {mark}"),
                Contents::DistinctSkills => listed,
            })
        }),
        draw("50 characters of one name", &|r| {
            (0..100).find_map(|_| part(&any_row(r).name, 50, r))
        }),
        draw("50 characters, no match", &|r| Some(letters(r, 50))),
        draw("not ASCII, rare", &|r| {
            Some(format!("Žižka Ñandú {}", marked(r)?))
        }),
        draw("not ASCII, no match", &|r| {
            Some(format!("ø{}å", letters(r, 4)))
        }),
    ];
    if contents == Contents::RealNames {
        classes.extend(real::classes(&draw, &any_row));
    }
    classes
}

/// `length` characters in a row of a name that has as many, and that no space ends.
fn part(name: &str, length: usize, random: &mut Pcg64Mcg) -> Option<String> {
    let letters: Vec<char> = name.chars().collect();
    let last = letters.len().checked_sub(length)?;
    let from = random.random_range(0..=last);
    Some(letters[from..from + length].iter().collect())
}

fn letters(random: &mut Pcg64Mcg, length: usize) -> String {
    (0..length)
        .map(|_| char::from(random.random_range(b'a'..=b'z')))
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_class_has_terms_that_are_what_it_says() {
        for contents in Contents::value_variants() {
            let classes = classes(20_000, *contents);
            for class in &classes {
                // Few real names are as long as that.
                let may_be_empty =
                    *contents == Contents::RealNames && class.name == "50 characters of one name";
                assert!(may_be_empty || !class.terms.is_empty(), "{}", class.name);
                let characters = |n| class.terms.iter().all(|term| term.chars().count() == n);
                let expected = match class.name {
                    name if name.starts_with("one letter") => Some(1),
                    name if name.starts_with("two letters") => Some(2),
                    name if name.starts_with("three letters") => Some(3),
                    name if name.starts_with("50 characters") => Some(50),
                    _ => None,
                };
                assert!(expected.is_none_or(characters), "{class:?}");
            }
        }
    }
}

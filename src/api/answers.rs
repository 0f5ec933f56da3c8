//! Rendering of results as they are read, within the byte budget of answers. It runs on worker threads: a megabyte
//! of JSON takes milliseconds, for which an async thread would keep all of its connections waiting.

use std::io::{self, Write};

use serde::Serialize;

use crate::budget::{Budget, Bytes, Sink};
use crate::warrior::Warrior;

/// Renders results within a budget.
#[derive(Clone, Debug)]
pub struct Answers(Budget);

/// The answers of one statement that searches for several terms, whose rows come term by term.
#[derive(Debug)]
pub struct Lists<'b> {
    budget: &'b Budget,
    done: Vec<Option<Bytes>>,
    /// The list of the first term that is not done; none when it did not fit.
    open: Option<Sink>,
}

impl Answers {
    /// Answers within `budget`.
    pub fn new(budget: Budget) -> Self {
        Self(budget)
    }

    /// The JSON of one result; none when there is no room for it, or when it was too large to be read.
    pub fn one(&self, result: Option<&impl Serialize>) -> Option<Bytes> {
        let mut json = self.0.sink();
        serde_json::to_writer(&mut json, result?).ok()?;
        Some(json.hold())
    }

    /// An answer for each term of a statement.
    pub fn lists(&self) -> Lists<'_> {
        Lists {
            budget: &self.0,
            done: Vec::new(),
            open: Some(self.0.sink()),
        }
    }
}

impl Lists<'_> {
    /// Adds a row to the list of this term; none is one that was too large to be read.
    pub fn add(&mut self, term: usize, row: Option<&Warrior>) {
        self.close_until(term);
        self.open = self.open.take().and_then(|list| with(list, row?).ok());
    }

    /// The JSON of the lists of these terms; none where there was no room for it. Equal terms share one.
    pub fn end(mut self, terms: &[usize]) -> Vec<Option<Bytes>> {
        self.close_until(terms.iter().max().map_or(0, |last| last + 1));
        terms.iter().map(|term| self.done[*term].clone()).collect()
    }

    fn close_until(&mut self, term: usize) {
        while self.done.len() < term {
            let list = self.open.replace(self.budget.sink());
            self.done.push(list.and_then(|list| ended(list).ok()));
        }
    }
}

/// The JSON array with another row.
fn with(mut list: Sink, row: &Warrior) -> io::Result<Sink> {
    let before = if list.is_empty() { b"[" } else { b"," };
    list.write_all(before)?;
    serde_json::to_writer(&mut list, row)?;
    Ok(list)
}

fn ended(mut list: Sink) -> io::Result<Bytes> {
    let end: &[u8] = if list.is_empty() { b"[]" } else { b"]" };
    list.write_all(end)?;
    Ok(list.hold())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use serde::Serializer;
    use serde_json::Value;

    use super::*;

    fn row(skill: &str) -> Warrior<'_> {
        Warrior {
            fight_skills: vec![Some(skill), None],
            ..Warrior::default()
        }
    }

    fn lengths(lists: Vec<Option<Bytes>>) -> Vec<Option<usize>> {
        let length = |json: Bytes| match serde_json::from_slice(&json).unwrap() {
            Value::Array(rows) => rows.len(),
            other => panic!("no array: {other}"),
        };
        lists.into_iter().map(|json| json.map(length)).collect()
    }

    #[test]
    fn each_term_has_its_own_list_and_one_without_rows_an_empty_one() {
        let answers = Answers::new(Budget::new(1 << 20));
        let mut lists = answers.lists();
        for term in [1, 1, 3] {
            lists.add(term, Some(&row("judo")));
        }
        let expected = [Some(0), Some(2), Some(0), Some(1), Some(0), Some(2)];
        assert_eq!(lengths(lists.end(&[0, 1, 2, 3, 4, 1])), expected);
        assert_eq!(lengths(answers.lists().end(&[])), []);
    }

    #[test]
    fn what_does_not_fit_takes_no_room_from_others() {
        let answers = Answers::new(Budget::new(400 << 10));
        let large = "x".repeat(90 << 10);
        let mut lists = answers.lists();
        for term in [0, 1, 1, 1, 2, 2] {
            lists.add(term, Some(&row(&large)));
        }
        lists.add(3, None);
        lists.add(3, Some(&row("judo")));
        lists.add(4, Some(&row("judo")));
        let lists = lists.end(&[0, 1, 2, 3, 4]);
        assert_eq!(
            lengths(lists.clone()),
            [Some(1), None, Some(2), None, Some(1)]
        );
        drop(lists);
        assert!(answers.one(Some(&row(&large))).is_some());
        assert!(answers.one(Some(&row(&large.repeat(4)))).is_none());
        assert!(answers.one(None::<&Warrior>).is_none());
    }

    /// A control character of a row takes six bytes of JSON.
    #[test]
    fn rendering_ends_where_there_is_no_room() {
        struct Rows<'c>(&'c Cell<usize>);
        impl Serialize for Rows<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq((0..1000).map(|_| {
                    self.0.set(self.0.get() + 1);
                    "\u{1}".repeat(1 << 10)
                }))
            }
        }
        let (answers, rendered) = (Answers::new(Budget::new(64 << 10)), Cell::new(0));
        assert!(answers.one(Some(&Rows(&rendered))).is_none());
        // A quarter of the budget is spared.
        assert_eq!(rendered.get(), (48 << 10) / (6 << 10));
    }
}

//! Rendering of results as they are read, within the byte budget of answers. It runs on worker threads: a megabyte
//! of JSON takes milliseconds, for which an async thread would keep all of its connections waiting.

use serde::Serialize;

use crate::budget::{Budget, Bytes, Charge};
use crate::warrior::Warrior;

/// Room that a list takes before its first row: most lists fit into it.
const LIST: usize = 4096;

/// Renders results within a budget.
#[derive(Clone, Debug)]
pub struct Answers(Budget);

/// The answers of one statement that searches for several terms, whose rows come term by term.
#[derive(Debug)]
pub struct Lists<'b> {
    budget: &'b Budget,
    done: Vec<Option<Bytes>>,
    /// That of the term after those which are done.
    open: List,
}

/// A JSON array that grows row by row; without a charge, one that did not fit.
#[derive(Debug)]
struct List {
    json: Vec<u8>,
    charge: Option<Charge>,
}

impl Answers {
    /// Answers within `budget`.
    pub fn new(budget: Budget) -> Self {
        Self(budget)
    }

    /// The JSON of one result; none when there is no room for it, or when it was too large to be read.
    pub fn one(&self, result: Option<&impl Serialize>) -> Option<Bytes> {
        let json = super::render::json(result?).ok()?;
        Some(self.0.charge(json.len())?.hold(json))
    }

    /// An answer for each term of a statement.
    pub fn lists(&self) -> Lists<'_> {
        Lists {
            budget: &self.0,
            done: Vec::new(),
            open: List::new(&self.0),
        }
    }
}

impl Lists<'_> {
    /// Adds a row to the list of this term; none is one that was too large to be read.
    pub fn add(&mut self, term: usize, row: Option<&Warrior>) {
        self.close_until(term);
        self.open.add(row);
    }

    /// The JSON of the lists of these terms; none where there was no room for it. Equal terms share one.
    pub fn end(mut self, terms: &[usize]) -> Vec<Option<Bytes>> {
        self.close_until(terms.iter().max().map_or(0, |last| last + 1));
        terms.iter().map(|term| self.done[*term].clone()).collect()
    }

    fn close_until(&mut self, term: usize) {
        while self.done.len() < term {
            let list = std::mem::replace(&mut self.open, List::new(self.budget));
            self.done.push(list.end());
        }
    }
}

impl List {
    fn new(budget: &Budget) -> Self {
        Self {
            json: Vec::new(),
            charge: Some(budget.open()),
        }
    }

    fn add(&mut self, row: Option<&Warrior>) {
        let Some(charge) = &mut self.charge else {
            return;
        };
        let fits = row.is_some_and(|row| {
            if self.json.is_empty() {
                self.json.reserve(LIST);
            }
            self.json
                .push(if self.json.is_empty() { b'[' } else { b',' });
            serde_json::to_writer(&mut self.json, row).is_ok() && charge.grow_to(self.json.len())
        });
        if !fits {
            *self = Self {
                json: Vec::new(),
                charge: None,
            };
        }
    }

    fn end(mut self) -> Option<Bytes> {
        let mut charge = self.charge?;
        if self.json.is_empty() {
            self.json.push(b'[');
        }
        self.json.push(b']');
        self.json.shrink_to_fit();
        charge
            .grow_to(self.json.len())
            .then(|| charge.hold(self.json))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use uuid::Uuid;

    use super::*;

    fn row(skill: &str) -> Warrior<'_> {
        Warrior {
            id: Uuid::nil(),
            name: "n",
            dob: "2000-01-01".to_owned(),
            fight_skills: vec![Some(skill), None],
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
}

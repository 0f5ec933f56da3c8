//! Answers of searches compared with the plain definition, id by id.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use warrior_load::client;
use warrior_load::stack::Stack;

use crate::terms::{Class, uri};

/// The comparison of a class's answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Checked {
    /// Terms whose answers equal the plain definition, id by id.
    pub equal: u64,
    /// Terms that were refused, which is no wrong answer.
    pub refused: u64,
    /// Terms whose answers differ, with the first difference.
    pub different: Vec<String>,
}

impl Checked {
    /// With those of another server.
    pub(crate) fn add(&mut self, other: Self) {
        self.equal += other.equal;
        self.refused += other.refused;
        self.different.extend(other.different);
    }

    /// In a few words.
    pub(crate) fn words(&self) -> String {
        match (self.different.first(), self.refused) {
            (Some(difference), _) => format!("DIFFERENT: {difference}"),
            (None, 0) => format!("{} equal", self.equal),
            (None, refused) => format!("{} equal, {refused} refused", self.equal),
        }
    }
}

/// Compares a few terms of a class. There must be no writer meanwhile.
pub(crate) fn check(stack: &Stack, class: &Class, terms: usize) -> anyhow::Result<Checked> {
    #[derive(Deserialize)]
    struct Hit {
        id: Uuid,
    }
    let mut owner = stack.owner().connect()?;
    let mut checked = Checked::default();
    let step = (class.terms.len() / terms.max(1)).max(1);
    for term in class.terms.iter().step_by(step).take(terms) {
        let path = uri(&stack.api, term)?.to_string();
        let answer = client::get(&stack.api, &path)?;
        if answer.status == 503 {
            checked.refused += 1;
            continue;
        }
        let answered: Vec<Hit> = serde_json::from_slice(&answer.body)?;
        let answered: Vec<Uuid> = answered.into_iter().map(|hit| hit.id).collect();
        let plain = owner.query(include_str!("sql/plain.sql"), &[term])?;
        let plain: Vec<Uuid> = plain.iter().map(|row| row.get(0)).collect();
        if answered == plain {
            checked.equal += 1;
        } else {
            let place = answered
                .iter()
                .zip(&plain)
                .take_while(|(a, b)| a == b)
                .count();
            checked.different.push(format!(
                "`{term}`: {} ids for {}, the first difference at {place}",
                answered.len(),
                plain.len()
            ));
        }
    }
    Ok(checked)
}

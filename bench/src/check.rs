//! Is the answer of a search what its plain definition says, in that order?

use serde::Deserialize;
use serde::Serialize;
use uuid::Uuid;

use super::terms::{Class, uri};
use warrior_load::client;
use warrior_load::stress::Stack;

/// What a class's answers were compared with.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Checked {
    /// Terms whose answers equal the plain definition, id by id.
    pub equal: u64,
    /// Terms that were refused, which is no wrong answer.
    pub refused: u64,
    /// Terms whose answers differ, with the first difference.
    pub different: Vec<String>,
}

/// Compares a few terms of a class. Nobody may write meanwhile.
pub(super) fn check(stack: &Stack, class: &Class, terms: usize) -> anyhow::Result<Checked> {
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
        let told: Vec<Hit> = serde_json::from_slice(&answer.body)?;
        let told: Vec<Uuid> = told.into_iter().map(|hit| hit.id).collect();
        let plain = owner.query(include_str!("sql/plain.sql"), &[term])?;
        let plain: Vec<Uuid> = plain.iter().map(|row| row.get(0)).collect();
        if told == plain {
            checked.equal += 1;
        } else {
            let place = told.iter().zip(&plain).take_while(|(a, b)| a == b).count();
            checked.different.push(format!(
                "`{term}`: {} ids for {}, the first difference at {place}",
                told.len(),
                plain.len()
            ));
        }
    }
    Ok(checked)
}

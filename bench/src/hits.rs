//! Searches apart by how many rows they find: a full answer costs more than an empty one.

use std::sync::Arc;

use anyhow::ensure;
use hyper::Uri;
use serde::Serialize;
use warrior_load::stack::Stack;
use warrior_load::workload::Kind;

use crate::terms::Class;

/// The server's statement for several terms, whose last column is the number of the term, from 1.
const SEARCHES: &str = concat!(
    include_str!("../../src/store/sql/shared_columns.sql"),
    include_str!("../../src/store/sql/searches.sql")
);

/// Terms of one statement.
const TERMS: usize = 100;

/// How many rows a request finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hits {
    /// Fewer than ten.
    Few,
    /// From ten on, and fewer than an answer may have.
    Some,
    /// As many as an answer may have: 50.
    Fifty,
    /// Not looked at.
    Any,
}

/// How many terms of a class find how many rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HitCounts {
    /// Fewer than ten.
    pub few: usize,
    /// 10 to 49.
    pub some: usize,
    /// 50.
    pub fifty: usize,
}

/// Asks the database how many rows each term of a class finds, and keeps the requests apart by that.
pub(crate) fn apart(
    stack: &Stack,
    class: &Class,
) -> anyhow::Result<(Vec<(Hits, Kind)>, HitCounts)> {
    let uris = class.uris(&stack.api)?;
    let mut owner = stack.owner().connect()?;
    let mut numbers = Vec::with_capacity(class.terms.len());
    for terms in class.terms.chunks(TERMS) {
        let rows = owner.query(SEARCHES, &[&terms])?;
        let mut found = vec![0_usize; terms.len()];
        for row in &rows {
            let place: i64 = row.try_get("place")?;
            ensure!(
                (1..=terms.len() as i64).contains(&place),
                "searches.sql answered for a term that was not asked for"
            );
            found[place as usize - 1] += 1;
        }
        numbers.extend(found);
    }
    let of = |hits: Hits| -> Arc<[Uri]> {
        let chosen = uris.iter().zip(&numbers);
        chosen
            .filter(|(_, number)| Hits::of(**number) == hits)
            .map(|(uri, _)| uri.clone())
            .collect()
    };
    let [few, some, fifty] = [Hits::Few, Hits::Some, Hits::Fifty].map(|hits| (hits, of(hits)));
    let counts = HitCounts {
        few: few.1.len(),
        some: some.1.len(),
        fifty: fifty.1.len(),
    };
    let kinds = [few, some, fifty]
        .into_iter()
        .filter(|(_, uris)| !uris.is_empty());
    Ok((
        kinds
            .map(|(hits, uris)| (hits, Kind::OneOf(uris)))
            .collect(),
        counts,
    ))
}

impl Hits {
    fn of(rows: usize) -> Hits {
        match rows {
            ..10 => Hits::Few,
            10..50 => Hits::Some,
            _ => Hits::Fifty,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_full_at_fifty() {
        let of = [0, 9, 10, 49, 50].map(Hits::of);
        let expected = [Hits::Few, Hits::Few, Hits::Some, Hits::Some, Hits::Fifty];
        assert_eq!(of, expected);
    }
}

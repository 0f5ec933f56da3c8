//! The executor of each lane: the statements of a store, and the rendering of rows where they are read.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::api::Answers;
use crate::dispatch::{Claimed, Executor, Executors, Lookup, LookupReply, Rendered};
use crate::store::{Access, Created, NewRow, Statements, Store, StoreError};

/// The executors of all lanes, on one store; rows are rendered within the budget of `answers`.
pub(crate) fn all<S: Store>(
    store: S,
    answers: Answers,
) -> Executors<Creates<S>, Finds<S>, Searches<S>> {
    let (probe, kept_up) = (store.clone(), store.clone());
    Executors {
        create: Creates(store.clone()),
        find: Finds {
            store: store.clone(),
            answers: answers.clone(),
        },
        search: Searches { store, answers },
        probe: Box::new(move |limit| S::within(probe.connect(Access::Aside)?, limit).probe()),
        is_behind: Box::new(move || kept_up.is_behind()),
    }
}

/// Stores warriors.
pub(crate) struct Creates<S>(S);

impl<S: Store> Executor for Creates<S> {
    type Request = NewRow;
    type Reply = Created;
    type Session<'s> = S::Connected<'s>;

    fn connect(&self) -> Result<S::Connected<'_>, StoreError> {
        self.0.connect(Access::Insert)
    }

    fn run(
        &self,
        connected: S::Connected<'_>,
        batch: &Claimed<'_, NewRow>,
    ) -> Result<Vec<Created>, StoreError> {
        S::until(connected, batch.deadline).create(&batch.requests)
    }
}

/// Finds warriors in one statement, and renders each once for all that asked for it; all counts share another.
pub(crate) struct Finds<S> {
    store: S,
    answers: Answers,
}

impl<S: Store> Executor for Finds<S> {
    type Request = Lookup;
    type Reply = LookupReply<Rendered>;
    type Session<'s> = S::Connected<'s>;

    fn connect(&self) -> Result<S::Connected<'_>, StoreError> {
        self.store.connect(Access::Read)
    }

    fn run(
        &self,
        connected: S::Connected<'_>,
        batch: &Claimed<'_, Lookup>,
    ) -> Result<Vec<LookupReply<Rendered>>, StoreError> {
        let mut session = S::until(connected, batch.deadline);
        let lookups = &batch.requests;
        let ids: HashSet<Uuid> = lookups
            .iter()
            .filter_map(|lookup| match lookup {
                Lookup::Warrior(id) => Some(*id),
                Lookup::Count => None,
            })
            .collect();
        let counts = lookups.iter().any(|lookup| matches!(lookup, Lookup::Count));
        let count = match counts {
            true => session.count()?,
            false => 0,
        };
        let warriors = match ids.is_empty() {
            true => HashMap::new(),
            false => session.find(ids, |warrior| batch.render(|| self.answers.one(warrior)))?,
        };
        let found = |lookup: &&Lookup| match lookup {
            Lookup::Warrior(id) => LookupReply::Warrior(warriors.get(id).cloned()),
            Lookup::Count => LookupReply::Count(count),
        };
        Ok(lookups.iter().map(found).collect())
    }
}

/// Searches once for each different term, in one statement, and renders the hits once for all that asked for them.
pub(crate) struct Searches<S> {
    store: S,
    answers: Answers,
}

impl<S: Store> Executor for Searches<S> {
    type Request = String;
    type Reply = Rendered;
    type Session<'s> = S::Connected<'s>;

    fn connect(&self) -> Result<S::Connected<'_>, StoreError> {
        self.store.connect(Access::Read)
    }

    fn run(
        &self,
        connected: S::Connected<'_>,
        batch: &Claimed<'_, String>,
    ) -> Result<Vec<Rendered>, StoreError> {
        let mut terms: Vec<&str> = Vec::new();
        let numbers: Vec<usize> = batch
            .requests
            .iter()
            .map(|term| {
                let known = terms.iter().position(|other| *other == term.as_str());
                known.unwrap_or_else(|| {
                    terms.push(term);
                    terms.len() - 1
                })
            })
            .collect();
        let mut lists = self.answers.lists();
        let mut session = S::until(connected, batch.deadline);
        session.search(&terms, |term, hit| batch.render(|| lists.add(term, hit)))?;
        Ok(batch.render(|| lists.end(&numbers)))
    }
}

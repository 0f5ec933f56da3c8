//! The work of each lane: the store's statements, and the rendering of rows where they are read.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::api::Answers;
use crate::dispatch::{Claimed, Executors, Lookup, LookupReply, Rendered, Work};
use crate::store::{Access, Created, NewRow, Session, Store, StoreError};

/// The work of all lanes, on one store; rows are rendered within the budget of `answers`.
pub(crate) fn executors(store: Store, answers: Answers) -> Executors<Creates, Finds, Searches> {
    let probe = store.clone();
    Executors {
        create: Creates(store.clone()),
        find: Finds {
            store: store.clone(),
            answers: answers.clone(),
        },
        search: Searches { store, answers },
        probe: Box::new(move || probe.connect(Access::Read)?.probe()),
    }
}

/// Stores warriors.
pub(crate) struct Creates(Store);

impl Work for Creates {
    type Request = NewRow;
    type Reply = Created;
    type Session<'s> = Session<'s>;

    fn connect(&self) -> Result<Session<'_>, StoreError> {
        self.0.connect(Access::Write)
    }

    fn run(
        &self,
        session: &mut Session<'_>,
        batch: &Claimed<'_, NewRow>,
    ) -> Result<Vec<Created>, StoreError> {
        session.create(&batch.requests, batch.deadline)
    }
}

/// Finds warriors in one statement, and renders each once for all that asked for it; all counts share another.
pub(crate) struct Finds {
    store: Store,
    answers: Answers,
}

impl Work for Finds {
    type Request = Lookup;
    type Reply = LookupReply<Rendered>;
    type Session<'s> = Session<'s>;

    fn connect(&self) -> Result<Session<'_>, StoreError> {
        self.store.connect(Access::Read)
    }

    fn run(
        &self,
        session: &mut Session<'_>,
        batch: &Claimed<'_, Lookup>,
    ) -> Result<Vec<LookupReply<Rendered>>, StoreError> {
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
            true => session.count(batch.deadline)?,
            false => 0,
        };
        let warriors = match ids.is_empty() {
            true => HashMap::new(),
            false => session.find(ids, batch.deadline, |warrior| self.answers.one(warrior))?,
        };
        let found = |lookup: &&Lookup| match lookup {
            Lookup::Warrior(id) => LookupReply::Warrior(warriors.get(id).cloned()),
            Lookup::Count => LookupReply::Count(count),
        };
        Ok(lookups.iter().map(found).collect())
    }
}

/// Searches once for each different term, in one statement, and renders the hits once for all that asked for them.
pub(crate) struct Searches {
    store: Store,
    answers: Answers,
}

impl Work for Searches {
    type Request = String;
    type Reply = Rendered;
    type Session<'s> = Session<'s>;

    fn connect(&self) -> Result<Session<'_>, StoreError> {
        self.store.connect(Access::Read)
    }

    fn run(
        &self,
        session: &mut Session<'_>,
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
        session.search(&terms, batch.deadline, |term, hit| lists.add(term, hit))?;
        Ok(lists.end(&numbers))
    }
}

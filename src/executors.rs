//! The executor of each lane: the store's statements, and the rendering of rows where they are read.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::api::Answers;
use crate::dispatch::{Claimed, Executor, Executors, Lookup, LookupReply, Rendered};
use crate::store::{Access, Connected, Created, NewRow, Store, StoreError};

/// The executors of all lanes, on one store; rows are rendered within the budget of `answers`.
pub(crate) fn all(store: Store, answers: Answers) -> Executors<Creates, Finds, Searches> {
    let probe = store.clone();
    Executors {
        create: Creates(store.clone()),
        find: Finds {
            store: store.clone(),
            answers: answers.clone(),
        },
        search: Searches { store, answers },
        probe: Box::new(move || probe.connect(Access::Other)?.until_role_limit().probe()),
    }
}

/// Stores warriors.
pub(crate) struct Creates(Store);

impl Executor for Creates {
    type Request = NewRow;
    type Reply = Created;
    type Session<'s> = Connected<'s>;

    fn connect(&self) -> Result<Connected<'_>, StoreError> {
        self.0.connect(Access::Insert)
    }

    fn run(
        &self,
        connected: Connected<'_>,
        batch: &Claimed<'_, NewRow>,
    ) -> Result<Vec<Created>, StoreError> {
        connected.until(batch.deadline).create(&batch.requests)
    }
}

/// Finds warriors in one statement, and renders each once for all that asked for it; all counts share another.
pub(crate) struct Finds {
    store: Store,
    answers: Answers,
}

impl Executor for Finds {
    type Request = Lookup;
    type Reply = LookupReply<Rendered>;
    type Session<'s> = Connected<'s>;

    fn connect(&self) -> Result<Connected<'_>, StoreError> {
        self.store.connect(Access::Other)
    }

    fn run(
        &self,
        connected: Connected<'_>,
        batch: &Claimed<'_, Lookup>,
    ) -> Result<Vec<LookupReply<Rendered>>, StoreError> {
        let mut session = connected.until(batch.deadline);
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
            false => session.find(ids, |warrior| self.answers.one(warrior))?,
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

impl Executor for Searches {
    type Request = String;
    type Reply = Rendered;
    type Session<'s> = Connected<'s>;

    fn connect(&self) -> Result<Connected<'_>, StoreError> {
        self.store.connect(Access::Other)
    }

    fn run(
        &self,
        connected: Connected<'_>,
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
        let mut session = connected.until(batch.deadline);
        session.search(&terms, |term, hit| lists.add(term, hit))?;
        Ok(lists.end(&numbers))
    }
}

//! Several searches at once: in one statement, and each answered as if it were alone.

use std::thread;
use std::time::Duration;

use postgres::types::Type;
use uuid::Uuid;
use warrior_api::config::Database;
use warrior_api::store::statements::{SEARCH, SEARCHES};

use crate::server::TestServer;
use crate::support::{Fresh, empty_database, fresh_database};

/// Searchers at the same time: more than there are workers, so that some of them wait.
const SEARCHERS: usize = 32;

/// `Warrior 0` to `Warrior 99`, two of each, born in 1900 to 1999, each with a skill of its own; the later in the order of their
/// numbers, the earlier made.
pub(crate) const FILL: &str = "insert into public.warrior (name, dob, fight_skills, created_at)
                    select 'Warrior ' || n % 100, make_date(1900 + n % 100, 1, 31), array['judo', 'art ' || n],
                           now() - n * interval '1 second'
                      from generate_series(0, 199) as n";

#[test]
fn each_term_of_a_statement_is_answered_as_if_it_were_alone() {
    assert_answered_as_if_alone(&fresh_database());
}

/// A table that was adopted may have its columns in another order, and some of others.
#[test]
fn each_term_of_a_statement_is_answered_as_if_it_were_alone_whatever_the_order_of_columns() {
    let database = empty_database();
    let mut owner = database.owner();
    owner
        .batch_execute(
            "create table public.warrior (remark text, fight_skills text[] not null, created_at timestamptz default now(),
                                          dob date not null, name varchar(100) not null,
                                          id uuid primary key default gen_random_uuid())",
        )
        .unwrap();
    warrior_api::store::schema::apply(&mut owner, &mut |_| {}).unwrap();
    assert_answered_as_if_alone(&database);
}

fn assert_answered_as_if_alone(database: &Fresh) {
    database.owner().batch_execute(FILL).unwrap();
    let mut pooled = database.pooled();
    let terms = ["warrior 1", "nobody", "1950", "art 7", "judo", "WARRIOR 1"];
    let alone: Vec<Vec<Uuid>> = terms
        .iter()
        .map(|term| {
            let rows = pooled.query_typed(SEARCH, &[(term, Type::TEXT)]).unwrap();
            rows.iter().map(|row| row.get(0)).collect()
        })
        .collect();
    assert_eq!(alone[4].len(), 50);
    assert!(alone[1].is_empty());
    let rows = pooled
        .query_typed(SEARCHES, &[(&terms.as_slice(), Type::TEXT_ARRAY)])
        .unwrap();
    let mut together = vec![Vec::new(); terms.len()];
    for row in rows {
        together[row.get::<_, i64>(4) as usize - 1].push(row.get::<_, Uuid>(0));
    }
    assert_eq!(together, alone);
}

#[test]
fn searches_that_wait_together_get_their_own_answers() {
    let database = fresh_database();
    database.owner().batch_execute(FILL).unwrap();
    get_their_own_answers(&database.pooled_login());
}

/// Many clients search for two names each, two dates each, and what is nowhere.
pub(crate) fn get_their_own_answers(login: &Database) {
    // A busy machine may take longer for a batch than half of the usual deadline, at which searches are shed.
    let server = &TestServer::with(login, |server| server.deadline = Duration::from_secs(20));
    thread::scope(|scope| {
        for searcher in 0..SEARCHERS {
            scope.spawn(move || {
                for n in 0..25 {
                    let number = 10 + (searcher * 7 + n * 13) % 90;
                    let name = format!("Warrior {number}");
                    let twice = [name.clone(), name.clone()];
                    assert_eq!(server.names(&name.to_uppercase()), twice);
                    assert_eq!(server.names(&(1900 + number).to_string()), twice);
                    assert!(server.names(&format!("{name} is not here")).is_empty());
                }
            });
        }
    });
}

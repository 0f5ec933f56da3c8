//! The list of letters that searches read, under several writers.

use postgres::Client;

use super::SEARCH;
use super::plain::hits;
use crate::support::fresh_database;

/// Writers that cannot see each other list a letter once each; that is still one letter.
#[test]
fn copies_of_letters_do_not_fill_the_list() {
    let database = fresh_database();
    let insert = "insert into public.warrior (name, dob, fight_skills)
                  values ('the quick brown fox jumps over the lazy dog 0123456789',
                          date '1990-01-01', '{judo}')";
    let mut clients: Vec<Client> = (0..9).map(|_| database.owner()).collect();
    for client in &mut clients {
        client.batch_execute("begin").unwrap();
        client.batch_execute(insert).unwrap();
    }
    for client in &mut clients {
        client.batch_execute("commit").unwrap();
    }
    let one_more = "insert into public.warrior (name, dob, fight_skills)
                    values ('\u{e9}', date '1990-01-01', '{judo}')";
    clients[0].batch_execute(one_more).unwrap();
    let list = "select count(*) > 300, bool_or(letter is null) from public.warrior_letter";
    let list = clients[0].query_one(list, &[]).unwrap();
    assert!(list.get::<_, bool>(0), "there were copies enough");
    assert!(!list.get::<_, bool>(1), "the list was given up");
}

/// TRUNCATE holds the table when its trigger empties the lists.
#[test]
fn a_search_for_two_letters_holds_no_list_while_it_waits_for_the_table() {
    let database = fresh_database();
    let (mut holder, mut searcher) = (database.owner(), database.owner());
    let mut truncate = holder.transaction().unwrap();
    truncate
        .batch_execute("lock table public.warrior in access exclusive mode")
        .unwrap();
    std::thread::scope(|scope| {
        // Its lock ends with it, should the test fail.
        let mut truncate = truncate;
        let search = scope.spawn(move || hits(&mut searcher, SEARCH, "qz"));
        let waits = "select exists (select from pg_locks
                      where relation = 'public.warrior'::regclass and not granted)";
        let started = std::time::Instant::now();
        while !truncate.query_one(waits, &[]).unwrap().get::<_, bool>(0) {
            assert!(
                started.elapsed().as_secs() < 120,
                "the search does not wait"
            );
        }
        truncate.batch_execute("truncate public.warrior").unwrap();
        truncate.commit().unwrap();
        assert!(search.join().unwrap().is_empty());
    });
}

//! Flushes by servers: one for all of them, and what searches make room for while it is cut off.

use super::{ADD, SHORT, flushes, patient_warrior, pending, pending_pages, superuser};
use crate::server::TestServer;
use crate::supervisor::eventually;
use crate::support::fresh_database;

/// Bytes that a server flushes whether anybody searches or not, as in `store/postgres/backlog.rs`.
const WORTH: i64 = 18 * 1024 * 1024;

/// Servers that find the same list worth a flush, filled by somebody else.
#[test]
fn servers_share_one_flush_of_what_others_have_added() {
    let database = fresh_database();
    let mut superuser = superuser(&database);
    let mut owner = database.owner();
    let servers: Vec<TestServer> = (0..3)
        .map(|_| TestServer::start(&database.pooled_login()))
        .collect();
    for turn in 1..=2 {
        owner.batch_execute(ADD).unwrap();
        eventually("a server flushes", || flushes(&mut owner) == turn);
        assert!(pending_pages(&mut superuser) <= SHORT);
    }
    drop(servers);
    assert_eq!(flushes(&mut owner), 2);
}

/// Searches beside it would keep a slow flush from ever ending. Where the table is emptied, there is none to be done.
#[test]
fn searches_are_shed_until_a_flush_that_was_cut_off_is_done() {
    for mend in [
        "drop trigger slow on public.warrior",
        "truncate public.warrior",
    ] {
        let database = fresh_database();
        let (mut owner, mut warrior) = (database.owner(), patient_warrior(&database));
        while pending(&mut warrior, 0).0 <= WORTH {
            warrior.batch_execute(ADD).unwrap();
        }
        owner
            .batch_execute(
                "create function public.slow() returns trigger language plpgsql as $$ begin
                     if current_setting('gin_pending_list_limit') = '64kB' then perform pg_sleep(60); end if;
                     return new;
                 end $$;
                 create trigger slow before insert on public.warrior for each row execute function public.slow()",
            )
            .unwrap();
        let server = TestServer::start(&database.pooled_login());
        server.await_ready();
        eventually("a search is shed", || match server.find("judo") {
            answer if answer.status == 200 => false,
            answer => {
                let problem = answer.problem(503, "overloaded");
                problem["detail"].as_str().unwrap().contains("upkeep")
            }
        });
        assert_eq!(flushes(&mut owner), 0);
        owner.batch_execute(mend).unwrap();
        eventually("all searches are answered", || {
            (0..32).all(|_| server.find("judo").status == 200)
        });
    }
}

//! A table that others use, too: what their triggers, policies and indexes do to the answers.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::api::warrior;
use crate::http::Answer;
use crate::lock::{TableLock, wait_for_locks_for_ever};
use crate::server::TestServer;
use crate::supervisor::eventually;
use crate::support::{Fresh, fresh_database, plain_database};

const KEY: &str = "0123456789abcdef";

/// A trigger of an adopter: `when` and `of`, as `create trigger` takes them, and what it does.
pub(crate) fn put_trigger(database: &Fresh, when: &str, of: &str, body: &str) {
    let sql = format!(
        "create function public.theirs() returns trigger language plpgsql security definer
             set search_path = public, pg_temp as $$ begin {body} end $$;
         create trigger theirs {when} on public.warrior for each {of} execute function public.theirs()"
    );
    database.owner().batch_execute(&sql).unwrap();
}

/// Posts all of these, keyless and with a key, as one batch: what comes while the one worker waits for a lock.
fn in_one_batch(database: &Fresh, server: &TestServer, names: &[&str]) -> Vec<[Answer; 2]> {
    let mut lock = TableLock::take(database);
    let answers = thread::scope(|scope| {
        scope.spawn(|| server.post(&warrior("first")).json(201));
        lock.await_waiting(1);
        let both: Vec<_> = names
            .iter()
            .map(|name| {
                let keyed = move || server.post_keyed(&format!("{KEY}-{name}"), &warrior(name));
                [
                    scope.spawn(move || server.post(&warrior(name))),
                    scope.spawn(keyed),
                ]
            })
            .collect();
        server.await_queue("create", 2 * names.len());
        lock.release();
        both.into_iter()
            .map(|both| both.map(|answer| answer.join().unwrap()))
            .collect()
    });
    let batches = "warrior_batch_size_count{lane=\"create\"} 2";
    let metrics = server.ask_admin("/metrics");
    assert!(metrics.text().lines().any(|line| line == batches));
    answers
}

/// A server that waits for locks, and whose lanes have their connections.
pub(crate) fn patient(database: &Fresh) -> TestServer {
    wait_for_locks_for_ever(database);
    let server = TestServer::with(&database.pooled_login(), |server| {
        server.deadline = Duration::from_secs(20);
        server.sizes.pool_min = server.sizes.pool();
    });
    server.await_ready();
    eventually("all connections are there", || {
        let idle = "db_client_connections{state=\"idle\"} 5";
        let metrics = server.ask_admin("/metrics");
        metrics.text().lines().any(|line| line == idle)
    });
    server
}

/// A warrior that is not stored is refused, whoever kept it out; a repeat of it is, too.
#[test]
fn a_warrior_that_a_trigger_keeps_out_is_refused_and_harms_no_other() {
    let cases = [
        (
            "before insert",
            "row",
            "if new.name = 'bad' then return null; end if; return new;",
        ),
        (
            "after insert",
            "row",
            "if new.name = 'bad' then delete from warrior where id = new.id; end if; return null;",
        ),
        (
            "after insert",
            "statement",
            "delete from warrior where name = 'bad'; return null;",
        ),
        (
            "before insert",
            "row",
            "if new.name = 'bad' then raise exception 'not this one'; end if; return new;",
        ),
        (
            "before insert",
            "row",
            "if new.name = 'bad' then raise exception 'nor this' using errcode = 'ABC01'; end if; return new;",
        ),
    ];
    for (when, of, body) in cases {
        for database in [fresh_database(), plain_database()] {
            put_trigger(&database, when, of, body);
            let server = patient(&database);
            let answers = in_one_batch(&database, &server, &["good", "bad", "another"]);
            for (answers, name) in answers.iter().zip(["good", "bad", "another"]) {
                for answer in answers {
                    match name {
                        "bad" => drop(answer.problem(422, "refused-by-database")),
                        name => assert_eq!(server.get(answer.location()).json(200)["name"], name),
                    }
                }
            }
            let again = server.post_keyed(&format!("{KEY}-bad"), &warrior("bad"));
            again.problem(422, "refused-by-database");
            assert_eq!(server.count(), 5, "{when} {of} {body}");
            let rejected = "warrior_rejected_rows_total{lane=\"create\"} 3";
            let metrics = server.ask_admin("/metrics");
            assert!(
                metrics.text().lines().any(|line| line == rejected),
                "{body}\n{}",
                metrics.text()
            );
        }
    }
}

/// It is stored, and not as it was sent: neither `201` nor `503` nor `422` would be true.
#[test]
fn a_warrior_that_a_trigger_changes_is_never_acknowledged_and_harms_no_other() {
    let cases = [
        ("before insert", "new.name := 'changed'; return new;"),
        ("before insert", "new.fight_skills := '{}'; return new;"),
        ("before insert", "new.dob := new.dob + 1; return new;"),
        (
            "after insert",
            "update warrior set name = 'changed' where id = new.id; return null;",
        ),
    ];
    for (when, change) in cases {
        for database in [fresh_database(), plain_database()] {
            let body = format!(
                "if new.name = 'bad' then {change} end if; return {};",
                if when == "before insert" {
                    "new"
                } else {
                    "null"
                }
            );
            put_trigger(&database, when, "row", &body);
            let server = patient(&database);
            let answers = in_one_batch(&database, &server, &["good", "bad"]);
            for answer in &answers[0] {
                answer.location();
            }
            for answer in &answers[1] {
                let problem = answer.problem(504, "altered-by-database");
                let location = problem["Location"].as_str().unwrap();
                let stored = server.get(location).json(200);
                let as_sent = warrior("bad");
                let same = |field: &str| stored[field] == as_sent[field];
                assert!(
                    !(same("name") && same("dob") && same("fight_skills")),
                    "{stored}"
                );
                // Sent again with its key, it is the same row, and the same answer.
                let key = problem["idempotency_key"].as_str().unwrap();
                let again = server.post_keyed(key, &as_sent);
                let again = again.problem(504, "altered-by-database");
                assert_eq!(again["Location"], problem["Location"]);
            }
            assert_eq!(server.count(), 5, "{body}");
        }
    }
}

#[test]
fn a_warrior_that_gets_another_id_is_never_acknowledged() {
    gets_another_id(&fresh_database());
    gets_another_id(&plain_database());
}

fn gets_another_id(database: &Fresh) {
    put_trigger(
        database,
        "before insert",
        "row",
        "new.id := gen_random_uuid(); return new;",
    );
    let server = patient(database);
    let answer = server.post(&warrior("n"));
    let problem = answer.problem(504, "altered-by-database");
    let location = problem["Location"].as_str().unwrap();
    server.get(location).problem(404, "not-found");
    assert_eq!(server.count(), 1);
}

/// A key that was used for another warrior cannot be told from a warrior that was changed.
#[test]
fn beside_a_harmless_trigger_all_is_as_without_it_but_a_key_that_is_used_again() {
    let database = fresh_database();
    put_trigger(&database, "after insert", "statement", "return null;");
    let server = patient(&database);
    let first = server.post_keyed(KEY, &warrior("n"));
    assert_eq!(
        server.post_keyed(KEY, &warrior("n")).location(),
        first.location()
    );
    server.post(&warrior("n")).location();
    let other = server.post_keyed(KEY, &warrior("another"));
    let problem = other.problem(504, "altered-by-database");
    assert_eq!(problem["Location"], first.location());
    assert_eq!(server.count(), 2);

    // One that is disabled is none.
    let disable = "alter table public.warrior disable trigger theirs";
    database.owner().batch_execute(disable).unwrap();
    let other = server.post_keyed(KEY, &warrior("another"));
    other.problem(422, "idempotency-key-reused");
}

#[test]
fn a_policy_that_refuses_a_row_harms_no_other() {
    a_policy_refuses_a_row(&fresh_database());
    a_policy_refuses_a_row(&plain_database());
}

fn a_policy_refuses_a_row(database: &Fresh) {
    database
        .owner()
        .batch_execute(
            "alter table public.warrior enable row level security;
             create policy theirs on public.warrior to warrior using (name <> 'bad')",
        )
        .unwrap();
    let server = patient(database);
    let answers = in_one_batch(database, &server, &["good", "bad"]);
    for (good, bad) in answers[0].iter().zip(&answers[1]) {
        good.location();
        bad.problem(422, "refused-by-database");
    }
    // Under a key whose row is hidden nothing can be stored, now or later.
    database
        .owner()
        .batch_execute("update public.warrior set name = 'bad' where name = 'good'")
        .unwrap();
    let hidden = server.post_keyed(&format!("{KEY}-good"), &warrior("good"));
    hidden.problem(422, "refused-by-database");
}

#[test]
fn a_row_too_long_for_an_index_of_others_harms_no_other() {
    let database = fresh_database();
    let index = "create index theirs on public.warrior (fight_skills)";
    database.owner().batch_execute(index).unwrap();
    let server = patient(&database);
    let letters: Vec<String> = (0..20)
        .map(|n| {
            (0..250)
                .map(|i| char::from_u32(0x4E00 + (i * i * 31 + n * 977) % 20_000).unwrap())
                .collect()
        })
        .collect();
    let long = json!({"name": "n", "dob": "2000-01-01", "fight_skills": letters});
    server.post(&long).problem(422, "refused-by-database");
    server.post(&warrior("n")).location();
}

/// PostgreSQL undid it, and it is not tried again: the second attempt would end after the deadline, as unknown.
#[test]
fn a_create_that_runs_out_of_its_time_is_503() {
    let database = fresh_database();
    wait_for_locks_for_ever(&database);
    database
        .superuser()
        .batch_execute(&format!(
            "alter role warrior in database {} set statement_timeout = '300ms'",
            database.name()
        ))
        .unwrap();
    let server = TestServer::with(&database.pooled_login(), |server| {
        server.deadline = Duration::from_secs(20);
    });
    server.await_ready();
    let lock = TableLock::take(&database);
    let began = Instant::now();
    let refused = server.post(&warrior("n"));
    refused.problem(503, "too-costly");
    assert!(began.elapsed() < Duration::from_secs(15));
    lock.release();
    assert_eq!(server.count(), 0);
}

/// What a search or a lookup cannot do is told as it is, and is nobody else's.
#[test]
fn a_read_that_always_fails_is_503_with_a_reason_of_its_own() {
    let database = fresh_database();
    let server = patient(&database);
    let places: Vec<String> = ["good", "bad"]
        .iter()
        .map(|name| server.post(&warrior(name)).location().to_owned())
        .collect();
    database
        .owner()
        .batch_execute(
            "alter function public.warrior_search(text) rename to theirs;
             create function public.warrior_search(term text)
                 returns table (id uuid, name varchar, dob date, fight_skills text[]) language plpgsql as $$
             begin
                 if term = 'bad' then perform 1 / 0; end if;
                 return query select w.id, w.name, w.dob, w.fight_skills from public.warrior as w where w.name = term;
             end $$;
             alter table public.warrior enable row level security;
             create policy theirs on public.warrior to warrior
                 using (case when name = 'bad' then 1 / (length(name) - 3) = 1 else true end)",
        )
        .unwrap();
    let failed = |answer: Answer| {
        let problem: Value = answer.problem(503, "unavailable");
        let detail = problem["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("the server's log"), "{detail}");
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| failed(server.find("bad")));
            scope.spawn(|| failed(server.get(&places[1])));
            scope.spawn(|| assert_eq!(server.names("good"), ["good"]));
            scope.spawn(|| server.get(&places[0]).json(200));
        }
    });
    let metrics = server.ask_admin("/metrics");
    for lane in ["find", "search"] {
        let line = |name: &str| {
            let line = metrics.text().lines().find(|line| line.starts_with(name));
            let (_, value) = line.unwrap().rsplit_once(' ').unwrap();
            value.parse::<u64>().unwrap()
        };
        let failures =
            format!("warrior_batch_failures_total{{lane=\"{lane}\",class=\"read_failed\"}}");
        assert!(line(&failures) > 0);
        let rejected = format!("warrior_rejected_rows_total{{lane=\"{lane}\"}}");
        assert_eq!(line(&rejected), 0);
    }
    assert_eq!(server.ask_admin("/ready").status, 200);
}

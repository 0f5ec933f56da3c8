//! `Idempotency-Key`: one key, one warrior, one row, one `Location`.

use std::collections::HashSet;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use serde_json::json;
use warrior_api::config::Secret;

use crate::api::warrior;
use crate::http::Answer;
use crate::lock::{TableLock, wait_for_locks_for_ever};
use crate::server::TestServer;
use crate::stores::{Stored, on_every_store};
use crate::supervisor::eventually;
use crate::support::{Fresh, empty_database, fresh_database};

const KEY: &str = "0123456789abcdef";

on_every_store!(
    a_key_used_again_gives_the_same_answer_and_one_row,
    a_key_belongs_to_one_warrior,
    a_key_that_could_not_be_told_from_another_is_400,
);

fn a_key_used_again_gives_the_same_answer_and_one_row(store: &Stored) {
    let server = store.server();
    let awkward = json!({
        "name": "O'Brien {\"\\} NULL",
        "dob": "0001-01-01",
        "fight_skills": ["NULL", "{}", "a,\"b\\"],
    });
    let first = server.post_keyed(KEY, &awkward);
    let again = server.post_keyed(KEY, &awkward);
    assert_eq!(first.location(), again.location());
    assert_eq!(first.text(), again.text());
    assert_eq!(server.count(), 1);
    // The order of keys, white space and unknown keys are not the warrior.
    let spaced = format!(
        r#"{{ "x": 1, "fight_skills": {}, "name": {}, "dob": {} }}"#,
        awkward["fight_skills"], awkward["name"], awkward["dob"]
    );
    let headers = [("idempotency-key", KEY)];
    let spaced = server.post_bytes(&headers, spaced.as_bytes());
    assert_eq!(spaced.text(), first.text());

    let other_key = server.post_keyed("0123456789abcdeF", &awkward);
    assert_ne!(other_key.location(), first.location());
    let no_key = server.post(&awkward);
    assert_ne!(no_key.location(), first.location());
    assert_eq!(server.count(), 3);
}

#[test]
fn ten_at_once_with_one_key_are_one_row() {
    let database = fresh_database();
    // Two instances, with more workers than one, as they run behind a load balancer.
    let instance = || {
        TestServer::with(&database.pooled_login(), |server| {
            server.sizes.workers_create = 3;
        })
    };
    let instances = [instance(), instance()];
    instances.iter().for_each(TestServer::await_ready);
    for round in 0..5 {
        let key = format!("{KEY}-{round}");
        let answers = at_once(10, |i| instances[i % 2].post_keyed(&key, &warrior("n")));
        let locations: HashSet<_> = answers.iter().map(Answer::location).collect();
        assert_eq!(locations.len(), 1, "{locations:?}");
    }
    assert_eq!(instances[0].count(), 5);
}

fn a_key_belongs_to_one_warrior(store: &Stored) {
    let server = store.server();
    let first = server.post_keyed(KEY, &warrior("n"));
    let others = [
        warrior("N"),
        json!({"name": "n", "dob": "2000-01-02", "fight_skills": ["xyz"]}),
        json!({"name": "n", "dob": "2000-01-01", "fight_skills": ["xyz", "xyz"]}),
        json!({"name": "n", "dob": "2000-01-01", "fight_skills": ["xyZ"]}),
    ];
    for other in &others {
        let problem = server.post_keyed(KEY, other);
        problem.problem(422, "idempotency-key-reused");
    }
    let found = server.get(first.location()).json(200);
    assert_eq!(found["name"], "n");
    assert_eq!(server.count(), 1);
    assert_eq!(
        server.post_keyed(KEY, &warrior("n")).location(),
        first.location()
    );
}

/// All of them wait while another transaction holds the table, and then are one statement.
#[test]
fn equal_and_contrary_uses_of_a_key_in_one_batch() {
    let database = fresh_database();
    wait_for_locks_for_ever(&database);
    let server = TestServer::with(&database.pooled_login(), |server| {
        server.deadline = Duration::from_secs(20);
    });
    server.await_ready();
    let mut lock = TableLock::take(&database);
    let names = ["a", "a", "b", "a", "b"];
    let (answers, alone) = thread::scope(|scope| {
        // The one worker takes this and waits for the lock; what comes after it waits together.
        scope.spawn(|| server.post(&warrior("first")).json(201));
        lock.await_waiting(1);
        let server = &server;
        let post = move |name| server.post_keyed(KEY, &warrior(name));
        let threads = names.map(|name| scope.spawn(move || post(name)));
        let alone = scope.spawn(|| server.post(&warrior("alone")));
        server.await_queue("create", names.len() + 1);
        lock.release();
        let answers = threads.map(|thread| thread.join().unwrap());
        (answers, alone.join().unwrap())
    });
    let metrics = server.ask_admin("/metrics");
    let batches = "warrior_batch_size_count{lane=\"create\"} 2";
    assert!(
        metrics.text().lines().any(|l| l == batches),
        "{}",
        metrics.text()
    );

    let location = answers
        .iter()
        .find(|answer| answer.status == 201)
        .expect("one of them is stored")
        .location();
    let stored = server.get(location).json(200);
    for (name, answer) in names.iter().zip(&answers) {
        if stored["name"] == *name {
            assert_eq!(answer.location(), location);
        } else {
            answer.problem(422, "idempotency-key-reused");
        }
    }
    assert_ne!(alone.location(), location);
    assert_eq!(server.count(), 3);
}

fn a_key_that_could_not_be_told_from_another_is_400(store: &Stored) {
    let server = store.server();
    let long = "k".repeat(256);
    for key in [
        "short",
        "with a space in it",
        "über-sechzehn-zeichen",
        &long,
    ] {
        server
            .post_keyed(key, &warrior("n"))
            .problem(400, "bad-request");
    }
    let twice = [("Idempotency-Key", KEY), ("idempotency-key", KEY)];
    let body = warrior("n").to_string();
    server
        .post_bytes(&twice, body.as_bytes())
        .problem(400, "bad-request");
    assert_eq!(server.count(), 0);
    let longest = &long[..255];
    server.post_keyed(longest, &warrior("n")).json(201);
}

/// Calls `ask` from `n` threads in the same moment.
fn at_once(n: usize, ask: impl Fn(usize) -> Answer + Sync) -> Vec<Answer> {
    let start = Barrier::new(n);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..n)
            .map(|i| {
                let (start, ask) = (&start, &ask);
                scope.spawn(move || {
                    start.wait();
                    ask(i)
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    })
}

#[test]
fn servers_without_a_secret_share_the_one_of_their_database() {
    let database = fresh_database();
    let first = TestServer::without_secret(&database.pooled_login());
    let second = TestServer::without_secret(&database.direct_login());
    let ana = warrior("Ana");
    first.await_ready();
    second.await_ready();
    let stored = first.post_keyed(KEY, &ana);
    stored.json(201);
    assert_eq!(second.post_keyed(KEY, &ana).location(), stored.location());
    assert_eq!(first.count(), 1);
    // One that is configured counts.
    let configured = TestServer::start(&database.pooled_login());
    assert_ne!(
        configured.post_keyed(KEY, &ana).location(),
        stored.location()
    );
    // No server knows of another, so the mixture shows by what each says of its secret.
    assert_eq!(fingerprint(&first), fingerprint(&second));
    assert_ne!(fingerprint(&first), fingerprint(&configured));
    // Its own keys, too, are under the shared one: what one server answers, the other settles.
    let key = warrior_api::api::Keys::new(&shared_secret(&database));
    let id = warrior_api::api::Keys::fresh();
    let settled = second.post_keyed(&key.key_of(id), &ana);
    assert_eq!(settled.location(), format!("/warrior/{id}"));
}

#[test]
fn a_create_before_the_secret_is_known_is_refused() {
    let database = empty_database();
    // The server is there before its schema is.
    let server = TestServer::without_secret(&database.pooled_login());
    let ana = warrior("Ana");
    for answer in [server.post(&ana), server.post_keyed(KEY, &ana)] {
        let problem = answer.problem(503, "unavailable");
        assert!(
            problem["detail"].as_str().unwrap().contains("secret"),
            "{problem}"
        );
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    // A table whose row is kept out, so that the server cannot be quicker than this test.
    let mut owner = database.owner();
    owner
        .batch_execute(
            "create table warrior_secret (one boolean primary key default true, idempotency text not null);
             create rule kept_out as on insert to warrior_secret do instead nothing",
        )
        .unwrap();
    warrior_api::store::schema::apply(&mut owner, &mut |_| {}).unwrap();
    eventually("/ready tells what is missing", || {
        server
            .ask_admin("/ready")
            .text()
            .contains("warrior_secret has no row")
    });
    assert_eq!(server.ask_admin("/ready").status, 503);
    server.post(&ana).problem(503, "unavailable");
    owner
        .batch_execute(
            "drop rule kept_out on warrior_secret;
             insert into warrior_secret (idempotency) values ('given later')",
        )
        .unwrap();
    server.await_ready();
    server.post_keyed(KEY, &ana).json(201);
}

fn fingerprint(server: &TestServer) -> String {
    let metrics = server.ask_admin("/metrics").text().to_owned();
    let sample = (metrics.lines()).find(|line| line.starts_with("warrior_idempotency_secret{"));
    sample
        .expect("a server shows its secret's fingerprint")
        .to_owned()
}

fn shared_secret(database: &Fresh) -> Secret {
    let sql = include_str!("../../src/store/sql/secret.sql");
    let row = database.owner().query_one(sql, &[]).unwrap();
    Secret::new(row.get::<_, String>(0))
}

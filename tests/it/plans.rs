//! The plan of every statement, inner ones of functions and triggers included, on a filled table.
//! A statement that reads the whole table, or not the index meant for it, fails here.

use std::mem::take;
use std::sync::{Arc, Mutex};

use postgres::types::{ToSql, Type};
use postgres::{Client, Config, NoTls};
use uuid::Uuid;
use warrior_api::store::statements::{FIND, SEARCH, SEARCHES, STORED, plain};

use crate::support::{Fresh, fresh_database};

const INSERT: &str = include_str!("../../src/store/sql/insert.sql");
const COUNT: &str = include_str!("../../src/store/sql/count.sql");

/// Terms, each with the indexes and scans that its search must use.
const TERMS: [(&str, &[&str]); 11] = [
    ("early", &["idx_warrior_name_order", "Tid Scan"]),
    (
        "late 6666",
        &["idx_warrior_name_parts", "warrior_skill_trigram"],
    ),
    // Two letters that stand beside each other nowhere.
    ("lw", &["idx_warrior_name_parts", "warrior_skill_trigram"]),
    (
        "a long name whose middle is the same",
        &["idx_warrior_name_parts"],
    ),
    // No name and no skill has a hyphen, so only dates are looked at.
    ("1990-01-01", &["idx_warrior_date_order"]),
    ("-03-15", &["idx_warrior_day_order"]),
    ("1990-01", &["idx_warrior_year_order", "warrior_pkey"]),
    // Three letters, looked for in buckets first; they stand beside each other nowhere.
    ("lww", &["idx_warrior_name_parts", "CTE candidate"]),
    (
        "rare",
        &[
            "idx_warrior_name_parts",
            "warrior_skill_trigram",
            "idx_warrior_skill_keys",
        ],
    ),
    (
        "kendo",
        &[
            "idx_warrior_name_parts",
            "warrior_skill_trigram",
            "idx_warrior_skill_keys",
        ],
    ),
    (
        "behind",
        &[
            "warrior_skill_trigram",
            "idx_warrior_skill_keys",
            "idx_warrior_name_order",
        ],
    ),
];

/// Terms that share a statement, and the indexes of all of them.
const TOGETHER: &[&str] = &["early", "lww", "-03-15"];

const OF_TOGETHER: [&str; 3] = [
    "idx_warrior_name_order",
    "idx_warrior_name_parts",
    "idx_warrior_day_order",
];

/// A session whose every statement tells its plan as a notice.
struct Explained {
    client: Client,
    notices: Arc<Mutex<Vec<String>>>,
}

impl Explained {
    fn new(database: &Fresh) -> Self {
        let login = database.superuser_login();
        let notices = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&notices);
        let mut config = Config::new();
        config
            .host(&login.host)
            .port(login.port)
            .dbname(&login.dbname)
            .user(&login.user)
            .password(login.password.as_ref().unwrap().read().unwrap().expose())
            .notice_callback(move |notice| heard.lock().unwrap().push(notice.message().to_owned()));
        let mut client = config.connect(NoTls).unwrap();
        client
            .batch_execute(
                "load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_level = notice;
                 set auto_explain.log_nested_statements = on; set jit = off;",
            )
            .unwrap();
        Self { client, notices }
    }

    /// The plans behind one statement.
    fn plans(&mut self, sql: &str, params: &[(&(dyn ToSql + Sync), Type)]) -> String {
        self.notices.lock().unwrap().clear();
        self.client.query_typed(sql, params).unwrap();
        take(&mut *self.notices.lock().unwrap()).join("\n\n")
    }

    #[track_caller]
    fn assert_uses(&mut self, sql: &str, params: &[(&(dyn ToSql + Sync), Type)], indexes: &[&str]) {
        let plans = self.plans(sql, params);
        for index in indexes {
            assert!(plans.contains(index), "{index} is not used:\n{plans}");
        }
        for table in ["warrior ", "warrior_skill "] {
            let whole = format!("Seq Scan on {table}");
            assert!(!plans.contains(&whole), "{whole}:\n{plans}");
        }
        assert!(
            !plans.contains("Hash Join"),
            "reads all of both sides:\n{plans}"
        );
    }
}

fn fill(client: &mut Client) {
    client
        .batch_execute(include_str!("search_30_000.sql"))
        .unwrap();
}

#[test]
fn a_search_uses_its_indexes() {
    let database = fresh_database();
    fill(&mut database.owner());
    let mut session = Explained::new(&database);
    for analyzed in [false, true] {
        for (term, indexes) in TERMS {
            session.assert_uses(SEARCH, &[(&term, Type::TEXT)], indexes);
        }
        session.assert_uses(SEARCHES, &[(&TOGETHER, Type::TEXT_ARRAY)], &OF_TOGETHER);
        if !analyzed {
            session.client.batch_execute("vacuum analyze").unwrap();
        }
    }
}

/// A session keeps the plans it made on the first day, when any plan was cheap.
#[test]
fn a_search_uses_its_indexes_with_plans_made_while_the_table_was_small() {
    let database = fresh_database();
    let mut session = Explained::new(&database);
    // What autovacuum and autoanalyze do later would make the session plan again.
    session
        .client
        .batch_execute(
            "alter table public.warrior set (autovacuum_enabled = off);
             alter table public.warrior_skill set (autovacuum_enabled = off);
             insert into public.warrior (name, dob, fight_skills)
             select 'few ' || n, '2000-01-01', '{judo}' from generate_series(1, 9) as n",
        )
        .unwrap();
    session.client.batch_execute("vacuum analyze").unwrap();
    for (term, _) in TERMS {
        session.plans(SEARCH, &[(&term, Type::TEXT)]);
    }
    session.plans(SEARCHES, &[(&TOGETHER, Type::TEXT_ARRAY)]);
    fill(&mut database.owner());
    for (term, indexes) in TERMS {
        session.assert_uses(SEARCH, &[(&term, Type::TEXT)], indexes);
    }
    session.assert_uses(SEARCHES, &[(&TOGETHER, Type::TEXT_ARRAY)], &OF_TOGETHER);
}

/// VACUUM gives only the empty pages at the table's end back, so most pages that a sample may draw hold no row.
#[test]
fn a_frequent_term_is_walked_for_after_a_mass_delete_of_old_rows() {
    let database = fresh_database();
    let mut owner = database.owner();
    fill(&mut owner);
    let pages = "select pg_relation_size('public.warrior') / current_setting('block_size')::bigint";
    let size: i64 = owner.query_one(pages, &[]).unwrap().get(0);
    let kept = 40;
    assert!(size > 8 * kept, "{size} pages");
    let delete = format!(
        "delete from public.warrior where ctid < '({},0)'",
        size - kept
    );
    owner.batch_execute(&delete).unwrap();
    owner.batch_execute("vacuum public.warrior").unwrap();
    assert_eq!(owner.query_one(pages, &[]).unwrap().get::<_, i64>(0), size);

    let mut session = Explained::new(&database);
    for seed in 1..=10 {
        let setseed = format!("select setseed({seed} / 10.0)");
        session.client.batch_execute(&setseed).unwrap();
        for (term, rejected) in [
            ("midd", "idx_warrior_name_parts"),
            ("judo", "idx_warrior_skill_keys"),
        ] {
            let plans = session.plans(SEARCH, &[(&term, Type::TEXT)]);
            assert!(plans.contains("idx_warrior_name_order"), "{term}:\n{plans}");
            assert!(!plans.contains(rejected), "{term}, {setseed}:\n{plans}");
        }
    }
}

#[test]
fn the_other_statements_use_theirs() {
    let database = fresh_database();
    fill(&mut database.owner());
    let mut session = Explained::new(&database);
    session.client.batch_execute("vacuum analyze").unwrap();

    let ids: Vec<Uuid> = session
        .client
        .query("select id from public.warrior limit 256", &[])
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    for sql in [FIND, STORED, plain::STORED] {
        session.assert_uses(sql, &[(&ids, Type::UUID_ARRAY)], &["warrior_pkey"]);
    }
    // Named: planned without the ids from its sixth execution on, as long as there are enough of them.
    let named = session
        .client
        .prepare_typed(FIND, &[Type::UUID_ARRAY])
        .unwrap();
    for _ in 0..6 {
        session.notices.lock().unwrap().clear();
        session.client.query(&named, &[&&ids[..12]]).unwrap();
    }
    let plan = take(&mut *session.notices.lock().unwrap()).join("\n\n");
    assert!(
        plan.contains("warrior_pkey") && plan.contains("ANY ($1)"),
        "{plan}"
    );
    let count = session.plans(COUNT, &[]);
    assert!(
        count.contains("warrior_count") && !count.contains(" on warrior "),
        "{count}"
    );

    let new: Vec<Uuid> = (0..50).map(|_| Uuid::now_v7()).collect();
    let names = vec!["new"; 50];
    let dobs = vec!["1931-05-06"; 50];
    let skills = vec!["{judo,\"new \\\"skill\\\"\"}"; 50];
    let params: [(&(dyn ToSql + Sync), Type); 4] = [
        (&new, Type::UUID_ARRAY),
        (&names, Type::TEXT_ARRAY),
        (&dobs, Type::TEXT_ARRAY),
        (&skills, Type::TEXT_ARRAY),
    ];
    let indexes = ["Arbiter Indexes: warrior_pkey", "warrior_skill_exact"];
    session.assert_uses(INSERT, &params, &indexes);
}

//! The store on a file of its own, without a server.

use std::env;
use std::fs;
use std::path::Path;

use super::*;
use crate::store::Class;

/// The library that `make duckdb` puts beside the programs; tests stand one folder deeper.
fn library() -> Library {
    let program = env::current_exe().unwrap();
    let beside = program.ancestors().map(|f| f.join("lib/libduckdb.so"));
    let found = beside.into_iter().find(|path| path.exists());
    Library::find(found.as_deref()).expect("fetch libduckdb with: make duckdb")
}

fn opened(folder: &Path) -> DuckDb {
    let local = Local {
        file: folder.join("app.duckdb"),
        library: None,
        checkpoint_at: None,
    };
    DuckDb::open(&library(), &local, 1 << 30).unwrap()
}

#[test]
fn a_statement_ends_at_its_deadline_and_costs_its_connection_alone() {
    let folder = env::temp_dir().join(format!("warrior-store-{}", Uuid::new_v4().simple()));
    fs::create_dir(&folder).unwrap();
    let store = opened(&folder);
    let mut session = store.connect(Access::Aside).unwrap().until(Instant::now());
    let endless = "select count(*) from range(1000000000000) a(i) where hash(i) = 7";
    let e = session.run(endless, &[], |_| {}).unwrap_err();
    assert!(e.cancelled, "{e}");
    assert_eq!(error::undone(&e).class, Class::TooCostly);
    let after = session.run("select 1", &[], |_| {}).unwrap_err();
    assert!(!after.cancelled, "{after}");
    drop(session);
    assert!(store.0.idle.lock().is_empty());

    let deadline = Instant::now();
    let mut session = DuckDb::until(store.connect(Access::Aside).unwrap(), deadline);
    assert_eq!(session.count().unwrap(), 0);
    drop(session);
    assert_eq!(store.0.idle.lock().len(), 1);
    // Nobody waits for it any more, whatever its deadline is.
    let mut session = store
        .connect(Access::Aside)
        .unwrap()
        .until(deadline + Duration::from_secs(3600));
    store.cancel_from(Instant::now());
    let e = session.run(endless, &[], |_| {}).unwrap_err();
    assert!(e.cancelled, "{e}");
    drop(session);
    drop(store);
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn more_ids_than_a_statement_takes_are_found_each_once() {
    let folder = env::temp_dir().join(format!("warrior-store-{}", Uuid::new_v4().simple()));
    fs::create_dir(&folder).unwrap();
    let store = opened(&folder);
    let later = Instant::now() + Duration::from_secs(120);
    let mut session = store.connect(Access::Aside).unwrap().until(later);
    let rows = "insert into warrior (id, name, dob, fight_skills)
                select ('00000000-0000-4000-8000-' || printf('%012d', i))::uuid, 'n', date '2000-01-01', ['judo']
                  from range(70) as r(i)";
    session.run(rows, &[], |_| {}).unwrap();
    drop(session);
    for wanted in [1, 32, 33, 70_u8] {
        let mut session = DuckDb::until(store.connect(Access::Aside).unwrap(), later);
        let ids = (0..u128::from(wanted))
            .map(|i| Uuid::parse_str(&format!("00000000-0000-4000-8000-{i:012}")).unwrap());
        let ids: HashSet<Uuid> = ids.chain([Uuid::nil()]).collect();
        let found = session.find(ids, |row| row.is_some()).unwrap();
        assert_eq!(found.len(), usize::from(wanted));
        assert!(found.into_values().all(|whole| whole));
    }
    drop(store);
    fs::remove_dir_all(&folder).unwrap();
}

//! PostgreSQL is restarted while a command reads or writes it: an error that says so, and the same command then ends well.

use std::process::Command;

use warrior_api::config::Database;
use warrior_stack::proxy::{Cut, Proxy};

use super::check::{ROWS, TABLE, twin_of};
use super::file::Duck;
use super::resume::wait_for;
use super::{DuckFile, assert_whole, begin, end, ended, import, resume};
use crate::supervisor::{Scratch, Supervisor, eventually};
use crate::support::fresh_database_on;

/// What marks the statements that read rows: all as they stand, all by their ids, and by its parameters the one that reads
/// all above the lowest id.
const BY_ID: &[u8] = b"between $1 and $2\n order by id";
const ALL: &[u8] = b"between $1 and $2\n\0";
const ABOVE: &[u8] =
    b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\x10\xff\xff\xff\xff\xff\xff\xff\xff";

#[test]
fn an_import_goes_on_after_it() {
    let mut stack = Supervisor::throw_away();
    let (file, database) = (
        DuckFile::with_many(resume::ROWS),
        fresh_database_on(&stack.endpoints),
    );
    let mut child = begin(&mut import(&file, &database.owner_login()));
    wait_for(1, &mut child, &mut database.owner());
    stack.command("stop postgres");
    let cut_off = end(child);
    assert_eq!(cut_off.status, Some(1), "{}{}", cut_off.out, cut_off.errors);
    assert!(
        cut_off.errors.contains("run the same command again"),
        "{}",
        cut_off.errors
    );
    stack.command("start postgres");
    ended(&mut import(&file, &database.owner_login()), 0);
    assert_whole(&file, &mut database.owner());
}

/// A command that has got some of the rows it asked for, and waits for the others.
struct Held {
    proxy: Proxy,
    marker: &'static [u8],
    command: Command,
    temporary: Scratch,
}

impl Held {
    fn new(duck: &Duck, action: &str, marker: &'static [u8], login: &Database) -> Self {
        let proxy = Proxy::to(login.port).unwrap();
        proxy.cut_next(Cut::Half, marker, 1);
        let mut login = login.clone();
        login.port = proxy.port;
        let (mut command, temporary) = (duck.command(action, &login), Scratch::new());
        command.env("TMPDIR", temporary.join(""));
        Self {
            proxy,
            marker,
            command,
            temporary,
        }
    }
}

#[test]
fn a_check_and_an_export_say_so_leave_nothing_and_end_well_the_next_time() {
    let mut stack = Supervisor::throw_away();
    let database = fresh_database_on(&stack.endpoints);
    let (full, login) = (twin_of(&database), database.owner_login());
    let lowest = "insert into warrior values ('00000000-0000-0000-0000-000000000000', 'Eve', '1980-01-01', array['a'], \
                  timestamptz '2024-01-01 00:00:00+00')";
    database.owner().batch_execute(lowest).unwrap();
    let (new, old) = (Duck::none(), Duck::with(&[TABLE, lowest]));
    let mut commands = [
        Held::new(&full, "check", ALL, &login),
        Held::new(&new, "export", BY_ID, &login),
        Held::new(&old, "export", ABOVE, &login),
    ];
    commands[2].command.arg("--add");
    let children = commands.each_mut().map(|held| {
        let mut child = begin(&mut held.command);
        eventually("it reads the rows", || {
            assert!(child.try_wait().unwrap().is_none(), "it ended first");
            held.proxy.has_cut(held.marker)
        });
        child
    });
    let aside = ".app.duckdb.exporting".to_owned();
    assert!(new.neighbours().contains(&aside));
    stack.command("stop postgres");
    for (child, held) in children.into_iter().zip(&commands) {
        let cut_off = end(child);
        assert_eq!(cut_off.status, Some(1), "{}{}", cut_off.out, cut_off.errors);
        for said in [
            "reading the warriors in PostgreSQL: PostgreSQL ended the connection",
            "run the same command again",
        ] {
            assert!(cut_off.errors.contains(said), "{}", cut_off.errors);
        }
        let left = std::fs::read_dir(held.temporary.join("")).unwrap().count();
        assert_eq!(left, 0);
    }
    assert!(!new.path().exists());
    for duck in [&full, &new, &old] {
        assert_eq!(duck.neighbours(), [""; 0]);
    }
    assert_eq!(old.number("select count(*) from warrior"), 1);
    stack.command("start postgres");
    for held in &mut commands {
        ended(&mut held.command, 0);
    }
    for duck in [&new, &old] {
        assert_eq!(duck.number("select count(*) from warrior"), ROWS + 1);
        assert_eq!(duck.neighbours(), [""; 0]);
    }
}

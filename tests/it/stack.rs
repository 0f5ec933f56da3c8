//! The embedded stack: start, durability, crash recovery, refusals with one clear sentence, access control,
//! and a clean end.

mod access;
mod kept;
mod life;
mod refusals;

use std::fs;
use std::path::{Path, PathBuf};

use postgres::SimpleQueryMessage;
use warrior_api::config::{Database, SecretSource};

use crate::supervisor::{Supervisor, connect, stack};

fn start_in(data: &Path) -> Supervisor {
    Supervisor::start(stack().arg("--data").arg(data)).expect("the stack starts")
}

/// The first value of the first row.
fn ask(database: &Database, query: &str) -> String {
    let mut client = connect(database).unwrap_or_else(|e| panic!("{}: {e:?}", database.user));
    let messages = client
        .simple_query(query)
        .unwrap_or_else(|e| panic!("{query}: {e:?}"));
    messages
        .iter()
        .find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        })
        .unwrap_or_else(|| panic!("{query}: no row"))
}

fn read_secrets(data: &Path) -> Vec<(PathBuf, String)> {
    let mut paths: Vec<_> = fs::read_dir(data.join("secrets"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    paths.sort();
    let read = |path: &PathBuf| {
        let secret = SecretSource::File(path.clone()).read().unwrap();
        secret.expose().to_owned()
    };
    paths
        .into_iter()
        .map(|path| (path.clone(), read(&path)))
        .collect()
}

//! A proposal applied and undone: byte for byte, with the modes of the files, and never over somebody's own change.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::super::config::{Config, Files};
use super::super::sizes::{Size, Sizes};
use super::*;

struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let path = std::env::temp_dir().join(format!("warrior-load-tune-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&path).expect("a fresh directory");
        Folder(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).expect("written");
        path
    }

    fn files(&self) -> Vec<(PathBuf, Vec<u8>, u32)> {
        let entries = fs::read_dir(&self.0).expect("ours").flatten();
        let mut files: Vec<_> = entries
            .filter(|entry| entry.path().is_file())
            .map(|entry| {
                let mode = entry.metadata().expect("there").permissions().mode();
                (entry.path(), fs::read(entry.path()).expect("ours"), mode)
            })
            .collect();
        files.sort();
        files
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

const ENV: &str = "# mine\r\nexport WORKERS = 6 # all\r\nPOSTGRES_MAX_CONNECTIONS=60\r\nDB_POOL_MAX=12\r\nSECRET='a$b'";

fn proposal(folder: &Folder) -> (Config, Vec<Change>, Sizes) {
    let files = Files {
        env: folder.0.join(".env"),
        pgbouncer_ini: Some(folder.0.join("pgbouncer.ini")),
        postgresql_conf: Some(folder.0.join("postgresql.conf")),
    };
    let config = Config::read(&files).expect("readable");
    let from = config.sizes(2).expect("numbers");
    let to = from.with(Size::Create, 16).with(Size::Pooler, 32);
    let changes = config.changes(&from, &to);
    (config, changes, from)
}

fn stack(env: Option<&str>) -> Folder {
    let folder = Folder::new();
    folder.write(
        "pgbouncer.ini",
        "[databases]\n* = host=db\n[pgbouncer]\ndefault_pool_size = 20\n",
    );
    folder.write("postgresql.conf", "max_connections = 40 # few\n");
    folder.write(".env.part", "somebody's, and no draft of ours");
    if let Some(env) = env {
        let path = folder.write(".env", env);
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("ours");
    }
    folder
}

#[test]
fn a_proposal_is_applied_and_undone_byte_for_byte() {
    for env in [Some(ENV), Some(""), None] {
        let (folder, out) = (stack(env), Folder::new());
        let before = folder.files();
        let (_, changes, from) = proposal(&folder);
        assert_eq!(changes.len(), 3);
        assert_eq!(from.get(Size::Pooler), 20);
        apply(&changes, &out.0).expect("applied");
        let (_, unchanged, applied) = proposal(&folder);
        assert_eq!((applied.create, applied.pooler), (16, 32));
        assert!(unchanged.is_empty(), "{unchanged:?}");
        let conf = fs::read_to_string(folder.0.join("postgresql.conf")).expect("ours");
        let wanted = applied.postgres_connections();
        assert_eq!(conf, format!("max_connections = {wanted} # few\n"));
        if env == Some(ENV) {
            let held = fs::read_to_string(folder.0.join(".env")).expect("ours");
            assert!(held.contains("DB_POOL_MAX=22\r\n"), "{held}");
        }
        if env.is_some() {
            let mode = fs::metadata(folder.0.join(".env"))
                .expect("there")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        undo(&out.0).expect("undone");
        assert_eq!(folder.files(), before);
        let error = undo(&out.0).expect_err("once only");
        assert!(error.to_string().contains("nothing to undo"), "{error}");
    }
}

#[test]
fn what_somebody_changed_since_is_not_undone_nor_overwritten() {
    let (folder, out) = (stack(Some(ENV)), Folder::new());
    let (_, changes, _) = proposal(&folder);
    fs::write(folder.0.join("pgbouncer.ini"), "[pgbouncer]\n").expect("ours");
    let error = apply(&changes, &out.0).expect_err("it has changed");
    assert!(
        error.to_string().contains("pgbouncer.ini has changed"),
        "{error}"
    );
    let (folder, out) = (stack(Some(ENV)), Folder::new());
    let (_, changes, _) = proposal(&folder);
    apply(&changes, &out.0).expect("applied");
    let again = apply(&changes, &out.0).expect_err("it is applied");
    assert!(again.to_string().contains("tune undo"), "{again}");
    fs::write(folder.0.join(".env"), "WORKERS=3\n").expect("ours");
    let before = folder.files();
    let error = undo(&out.0).expect_err("it has changed");
    assert!(error.to_string().contains(".env has changed"), "{error}");
    assert_eq!(folder.files(), before);
}

#[test]
fn a_search_gives_back_what_the_files_held() {
    for env in [Some(ENV), None] {
        let (folder, out) = (stack(env), Folder::new());
        let before = folder.files();
        let (config, _, from) = proposal(&folder);
        let other = from.with(Size::Batch, 16);
        keep(config.files(), &out.0).expect("kept");
        will_write(&config.changes(&from, &other), &out.0).expect("unchanged so far");
        config.write(&from, &other).expect("written");
        let read = proposal(&folder).0.sizes(2).expect("numbers");
        assert_eq!(read, other);
        undo(&out.0).expect("given back");
        assert_eq!(folder.files(), before);
    }
}

#[test]
fn a_search_stops_before_what_somebody_changed_meanwhile() {
    let (folder, out) = (stack(Some(ENV)), Folder::new());
    let (config, changes, _) = proposal(&folder);
    keep(config.files(), &out.0).expect("kept");
    folder.write(".env", "SECRET=new\n");
    for error in [
        will_write(&changes, &out.0).expect_err("it has changed"),
        undo(&out.0).map(drop).expect_err("it has changed"),
    ] {
        assert!(error.to_string().contains(".env has changed"), "{error}");
    }
    let now = fs::read_to_string(folder.0.join(".env")).expect("ours");
    assert_eq!(now, "SECRET=new\n");
}

#[test]
fn what_cannot_be_kept_leaves_nothing() {
    let (folder, out) = (stack(Some(ENV)), Folder::new());
    let (config, ..) = proposal(&folder);
    folder.write("postgresql.conf.before-tune", "of another\n");
    let before = folder.files();
    let error = keep(config.files(), &out.0).expect_err("a copy is in the way");
    assert!(error.to_string().contains("move it away"), "{error}");
    assert_eq!(folder.files(), before);
    assert!(out.files().is_empty());
    let (folder, out) = (stack(Some(ENV)), Folder::new());
    let (config, ..) = proposal(&folder);
    let before = folder.files();
    // Neither can the list be written where a folder has its name.
    fs::create_dir(out.0.join("tune.undo.part")).expect("ours");
    keep(config.files(), &out.0).expect_err("no list");
    assert_eq!(folder.files(), before);
}

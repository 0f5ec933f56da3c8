//! What `scripts/secrets` makes, and what it leaves as it is.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use nix::unistd::{Uid, chown, geteuid};

use crate::supervisor::Scratch;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/secrets");

/// A folder with a copy of the script, which works on the folder that it stands in.
fn folder() -> Scratch {
    let folder = Scratch::new();
    fs::create_dir(folder.join("scripts")).unwrap();
    fs::copy(SCRIPT, folder.join("scripts/secrets")).unwrap();
    folder
}

fn run(folder: &Scratch) {
    let ran = Command::new("sh")
        .arg(folder.join("scripts/secrets"))
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
}

/// Whom a file belongs to, and who may use it.
fn rights(path: &Path) -> (u32, u32) {
    let metadata = fs::metadata(path).unwrap();
    (metadata.uid(), metadata.mode() & 0o777)
}

#[test]
fn an_env_file_keeps_its_link_its_owner_and_its_lines() {
    let folder = folder();
    let (link, target) = (folder.join(".env"), folder.join("real.env"));
    fs::write(&target, "PORT=1\nSECRETS_GID=old\n# last").unwrap();
    fs::set_permissions(&target, Permissions::from_mode(0o640)).unwrap();
    symlink("real.env", &link).unwrap();
    if geteuid().is_root() {
        chown(&target, Some(Uid::from_raw(12_345)), None).unwrap();
    }
    let before = rights(&target);
    run(&folder);
    let text = fs::read_to_string(&target).unwrap();
    let lines: Vec<_> = text.lines().map(|line| line.split('=').next()).collect();
    let expected = ["PORT", "# last", "SECRETS_GID", "BENCH_USER"].map(Some);
    assert_eq!(lines, expected, "{text}");
    assert!(!text.contains("old") && text.starts_with("PORT=1\n"));
    assert!(link.is_symlink());
    assert_eq!(rights(&target), before);
    // Once more changes nothing.
    let secret = fs::read(folder.join("secrets/idempotency.secret")).unwrap();
    run(&folder);
    assert_eq!(fs::read_to_string(&target).unwrap(), text);
    let again = fs::read(folder.join("secrets/idempotency.secret")).unwrap();
    assert_eq!(again, secret);
}

#[test]
fn a_new_env_file_belongs_to_whom_the_folder_belongs() {
    let folder = folder();
    if geteuid().is_root() {
        let top = folder.join(".");
        chown(&top, Some(Uid::from_raw(12_345)), None).unwrap();
    }
    run(&folder);
    let owner = fs::metadata(folder.join(".")).unwrap().uid();
    assert_eq!(rights(&folder.join(".env")), (owner, 0o600));
}

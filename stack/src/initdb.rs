//! Initialisation of a cluster: atomic, with checksums, UTF-8 and an order that never changes.

use std::fs;

use crate::error::StackError;
use crate::folder::{Folder, failed};
use crate::layout;
use crate::process;
use crate::programs::Postgres;
use crate::version::Version;

/// An atomic initdb: the cluster is made under another name, so that a killed run leaves no half cluster.
pub(crate) fn initdb(folder: &Folder, postgres: &Postgres) -> Result<(), StackError> {
    let path = layout::cluster(folder.path());
    let new = folder.path().join("pg.new");
    match fs::remove_dir_all(&new) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            return Err(failed("remove", &new)(e));
        }
        _ => {}
    }
    let program = postgres.bin.join("initdb");
    let mut command = process::clean_command(&program, folder.path());
    command
        .arg("--pgdata")
        .arg(&new)
        .arg("--pwfile")
        .arg(layout::secret(folder.path(), layout::SUPERUSER.secret))
        .args([
            "--username",
            layout::SUPERUSER.name,
            "--auth",
            "scram-sha-256",
        ])
        .args([
            "--encoding",
            "UTF8",
            "--lc-messages",
            "C",
            "--data-checksums",
        ])
        .args(locale(postgres.version));
    if folder.is_throw_away() {
        // These files need not survive a power cut, and files that never reached the disk are removed
        // much faster. PostgreSQL itself runs with fsync, here as everywhere.
        command.arg("--no-sync");
    }
    let output = command.output().map_err(failed("run", &program))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(StackError::Initdb {
            path,
            output: text.trim().replace('\n', "; "),
        });
    }
    fs::rename(&new, &path).map_err(failed("make", &path))
}

/// The collation: C.UTF-8 sorts by code point and never changes under an index, unlike the locales of
/// languages. macOS has no such locale of its own, but PostgreSQL 17 brings one.
fn locale(version: Version) -> &'static [&'static str] {
    if cfg!(target_os = "macos") && version.major >= 17 {
        &[
            "--locale-provider",
            "builtin",
            "--builtin-locale",
            "C.UTF-8",
            "--locale",
            "C",
        ]
    } else {
        &["--locale", "C.UTF-8"]
    }
}

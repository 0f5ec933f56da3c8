//! Generated secrets: one file each, readable by their owner alone, kept across runs.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::secret::SecretSource;

pub(crate) const SUPERUSER: &str = "superuser.password";
pub(crate) const OWNER: &str = "owner.password";
pub(crate) const RUNTIME: &str = "warrior.password";
pub(crate) const MONITOR: &str = "monitor.password";
pub(crate) const POOLER_ADMIN: &str = "pooler_admin.password";
pub(crate) const IDEMPOTENCY: &str = "idempotency.secret";

const ALL: [&str; 6] = [
    SUPERUSER,
    OWNER,
    RUNTIME,
    MONITOR,
    POOLER_ADMIN,
    IDEMPOTENCY,
];

/// 256 bits: nothing to guess, whatever the hash.
const BYTES: usize = 32;

/// The secret `name` of the stack in `data`.
pub(crate) fn source(data: &Path, name: &str) -> SecretSource {
    SecretSource::File(path(data, name))
}

/// The folder of the secrets of the stack in `data`.
pub(crate) fn folder(data: &Path) -> PathBuf {
    data.join("secrets")
}

/// The file of the secret `name`.
pub(crate) fn path(data: &Path, name: &str) -> PathBuf {
    folder(data).join(name)
}

/// Generates the secrets that do not exist yet. A cluster that exists knows its superuser's password,
/// and nobody else can set it; a new one would only hide that the file is lost.
pub(crate) fn generate_missing(data: &Path) -> io::Result<()> {
    let has_cluster = crate::cluster::path(data).exists();
    for name in ALL {
        let path = path(data, name);
        let only_lost = name == SUPERUSER && has_cluster;
        if !path.exists() && !only_lost {
            write_private(&path, &random_hex()?)?;
        }
    }
    Ok(())
}

/// Writes `text` whole or not at all, so that a crash leaves no half secret behind.
pub(crate) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    match fs::remove_file(&new) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::rename(&new, path)
}

fn random_hex() -> io::Result<String> {
    let mut bytes = [0; BYTES];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

//! Secret generation: one random password a file, readable by its owner alone, kept across runs.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::layout;

/// Length of a secret: 256 bits leave nothing to guess, whatever the hash.
const SECRET_BYTES: usize = 32;

/// Generates the secrets that do not exist yet, but never a superuser's password for a cluster that
/// exists: that cluster knows its own, and a new one would only hide that the file is lost.
pub(crate) fn generate_missing(data: &Path) -> io::Result<()> {
    let has_cluster = layout::cluster(data).exists();
    for name in layout::SECRETS {
        let path = layout::secret(data, name);
        let is_lost = name == layout::SUPERUSER.secret && has_cluster;
        if !path.exists() && !is_lost {
            write_private(&path, &random_hex()?)?;
        }
    }
    Ok(())
}

/// An atomic write: a crash leaves the whole secret behind or none.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
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
    let mut bytes = [0; SECRET_BYTES];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

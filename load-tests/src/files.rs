//! Files: replaced atomically (written aside, brought to the disk, renamed), and known by their digests.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// An input file as it was read.
#[derive(Clone, Debug)]
pub struct InputFile {
    /// Where it is, from the root.
    pub path: PathBuf,
    /// What it held.
    pub text: Arc<str>,
}

/// A file that a run read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileDigest {
    /// Where it is, from the root.
    pub path: String,
    /// SHA-256 of what it held.
    pub sha256: String,
}

impl InputFile {
    /// Reads a text file.
    ///
    /// # Errors
    /// Names the file and why it cannot be read.
    pub fn read(path: PathBuf) -> anyhow::Result<InputFile> {
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let text = text.into();
        Ok(InputFile { path, text })
    }

    /// The file by its digest.
    pub fn digest(&self) -> FileDigest {
        FileDigest {
            path: self.path.display().to_string(),
            sha256: sha256(self.text.as_bytes()),
        }
    }
}

/// Writes a file that is there whole or not at all.
///
/// # Errors
/// Names the file and why it cannot be written; what it held before stays.
pub fn write_whole(path: &Path, text: &str) -> anyhow::Result<()> {
    let aside = path.with_added_extension("part");
    let written = File::create(&aside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&aside, path)
    });
    written
        // The first error is the cause of all others.
        .inspect_err(|_| drop(fs::remove_file(&aside)))
        .with_context(|| {
            format!(
                "cannot write {}; make room there, or name another directory with --out",
                path.display()
            )
        })
}

/// Makes the directory that results go to.
///
/// # Errors
/// Names the directory and the flag that chose it.
pub fn create_directory(path: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(path)
        .with_context(|| format!("cannot create the directory {} (--out)", path.display()))
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Replaces a file whole, with the mode and the owner that it has: a `.env` may hold secrets.
pub(crate) fn replace_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    // A link stays one.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    // A name that nobody has: a file of somebody's would be gone, and a link would lead the bytes elsewhere.
    let aside = path.with_added_extension(format!("{}.part", uuid::Uuid::new_v4().simple()));
    let write = || -> std::io::Result<()> {
        let mut file = File::create_new(&aside)?;
        if let Ok(now) = fs::metadata(&path) {
            file.set_permissions(now.permissions())?;
            let own = file.metadata()?;
            if (own.uid(), own.gid()) != (now.uid(), now.gid()) {
                chown(&aside, Some(now.uid()), Some(now.gid()))?;
            }
        }
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&aside, &path)
    };
    write()
        // The first error is the cause of all others.
        .inspect_err(|_| drop(fs::remove_file(&aside)))
        .with_context(|| format!("cannot write {}", path.display()))
}

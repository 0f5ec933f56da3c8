//! The place of a file while it is being written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use warrior_duckdb::{Access, OpenError, log_of, logs_of};

use super::ExportError;
use crate::migrate::error::MigrateError;
use crate::migrate::file::open_for;

/// Nothing of that name is there, and nothing that DuckDB would take for its log.
pub(super) fn check_free(path: &Path) -> Result<(), ExportError> {
    if path.symlink_metadata().is_ok() {
        return Err(ExportError::Exists(path.to_owned()));
    }
    match logs_of(path).find(|log| log.exists()) {
        None => Ok(()),
        Some(log) => Err(ExportError::Log(log)),
    }
}

/// The file while it is being written, beside its later place. It is removed unless it is kept.
pub(super) struct Aside(PathBuf);

impl Aside {
    /// A name that an earlier export may have left behind; one that is still running holds it.
    pub(super) fn new(library: Option<&Path>, path: &Path) -> Result<Self, MigrateError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let aside = path.with_file_name(format!(".{name}.exporting"));
        if aside.exists() {
            let opened = open_for(library, &aside, Access::Write);
            if let Err(held @ MigrateError::Open(OpenError::Held { .. })) = opened {
                return Err(held);
            }
        }
        let aside = Self(aside);
        aside.remove();
        Ok(aside)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    fn log(&self) -> PathBuf {
        log_of(&self.0)
    }

    fn remove(&self) {
        let _ = fs::remove_file(&self.0);
        for log in logs_of(&self.0) {
            let _ = fs::remove_file(log);
        }
    }

    /// Gives the file its name, once it is on disk. A link is made, which fails on a name that is taken meanwhile; a rename
    /// would replace that file, and is left to file systems without links.
    pub(super) fn keep_as(self, path: &Path) -> Result<(), ExportError> {
        check_free(path)?;
        let folder = (path.parent()).filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let done = match self.log().exists() {
            true => Err(io::Error::other("DuckDB left rows in its log")),
            false => synced(&self.0)
                .and_then(|()| match fs::hard_link(&self.0, path) {
                    Err(e) if e.kind() != io::ErrorKind::AlreadyExists => fs::rename(&self.0, path),
                    linked => linked,
                })
                .and_then(|()| {
                    fs::remove_file(&self.0).or_else(|e| match e.kind() {
                        io::ErrorKind::NotFound => Ok(()),
                        _ => Err(e),
                    })
                })
                .and_then(|()| synced(folder)),
        };
        done.map_err(|cause| {
            if cause.kind() == io::ErrorKind::AlreadyExists {
                return ExportError::Exists(path.to_owned());
            }
            let (doing, path) = ("finishing", path.to_owned());
            MigrateError::Io { doing, path, cause }.into()
        })
    }
}

fn synced(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

impl Drop for Aside {
    fn drop(&mut self) {
        self.remove();
    }
}

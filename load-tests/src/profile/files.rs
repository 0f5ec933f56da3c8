//! The files that a profile names, read once: every compilation of the profile sees the same bytes.

use std::path::Path;

use anyhow::{Context, ensure};

use super::spec::Profile;
use crate::files::{FileDigest, InputFile};

impl Profile {
    /// Reads the files that the scenarios name, those of the profile's folder.
    pub(super) fn read_files(&mut self) -> anyhow::Result<()> {
        for scenario in &self.scenario {
            for (what, file) in [
                ("body file", &scenario.body_file),
                ("fields file", &scenario.fields_file),
            ] {
                let Some(file) = file else { continue };
                let path = std::path::absolute(self.directory.join(file))?;
                if self.files.iter().any(|read| read.path == path) {
                    continue;
                }
                let read = InputFile::read(path).with_context(|| format!("cannot read the {what}"));
                self.files.push(read?);
            }
        }
        Ok(())
    }

    /// A file that a scenario names, as it was read.
    pub(super) fn file(&self, named: &Path) -> anyhow::Result<&InputFile> {
        let path = std::path::absolute(self.directory.join(named))?;
        let read = self.files.iter().find(|read| read.path == path);
        read.with_context(|| format!("{} was not read with the profile", path.display()))
    }

    /// The files that were read, by their digests.
    pub fn digests(&self) -> Vec<FileDigest> {
        self.files.iter().map(InputFile::digest).collect()
    }

    /// Asks whether the files are still those of an earlier run.
    ///
    /// # Errors
    /// Names a file that has changed.
    pub fn check_files(&self, earlier: &[FileDigest]) -> anyhow::Result<()> {
        let now = self.digests();
        for then in earlier {
            let same = now.iter().find(|file| file.path == then.path);
            ensure!(
                same.is_none_or(|file| file.sha256 == then.sha256),
                "{} has changed since the run that is to be reproduced (its SHA-256 was {}); put the \
                 old file there, or begin anew with `warrior-load run`",
                then.path,
                then.sha256
            );
        }
        Ok(())
    }
}

//! Applying a proposal, and undoing it byte for byte: each file is kept beside itself before it is written, and a list
//! of them in the folder of results says what `undo` gives back.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail, ensure};
use serde::{Deserialize, Serialize};

use super::config::{Change, ConfigFile};
use crate::files::{create_directory, replace_whole, sha256, write_whole};

/// The list of what was applied, in the folder of results.
const LIST: &str = "tune.undo";
/// What a file's copy is called beside it.
const COPY: &str = "before-tune";

#[derive(Debug, Serialize, Deserialize)]
struct Applied {
    files: Vec<AppliedFile>,
}

#[derive(Debug, Serialize, Deserialize)]
struct AppliedFile {
    path: PathBuf,
    /// The copy of what it held; absent where there was no such file.
    copy: Option<PathBuf>,
    /// SHA-256 of what it held, where it was there.
    before: Option<String>,
    /// SHA-256 of each text that was written there.
    written: Vec<String>,
}

/// Writes a proposal, with a copy of each file beside it; the files that were written. Where one cannot be written, all are
/// as they were.
///
/// # Errors
/// When an earlier proposal is not undone, a file has changed since it was read, or one cannot be written.
pub(super) fn apply(changes: &[Change], directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    keep(changes.iter().map(|change| &change.file), directory)?;
    write_all(changes, directory).map_err(|error| match undo(directory) {
        Ok(_) => error,
        Err(why) => anyhow!("{error:#}; what was written before is still there: {why:#}"),
    })
}

fn write_all(changes: &[Change], directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    will_write(changes, directory)?;
    let mut paths = Vec::new();
    for change in changes {
        let path = std::path::absolute(&change.file.path)?;
        replace_whole(&path, change.text().as_bytes())?;
        paths.push(path);
    }
    Ok(paths)
}

/// Keeps copies of the files before anything is written to them, with the list of them: whatever ends the program, `undo`
/// gives them back. Where it fails, nothing of it is left.
///
/// # Errors
/// As [`apply`].
pub(super) fn keep<'f>(
    files: impl Iterator<Item = &'f ConfigFile>,
    directory: &Path,
) -> anyhow::Result<()> {
    create_directory(directory)?;
    let list = directory.join(LIST);
    ensure!(
        !list.exists(),
        "an earlier proposal is applied, or a search was cut off; `warrior-load tune undo --out {}` gives back what was \
         before it, or remove {} to keep what is there for good",
        directory.display(),
        list.display()
    );
    let mut applied = Applied { files: Vec::new() };
    for file in files {
        let path = std::path::absolute(&file.path)?;
        let before = file.held.as_ref().map(|held| sha256(held.as_bytes()));
        check_unchanged(&path, before.as_deref())?;
        let copy = path.with_added_extension(COPY);
        ensure!(
            file.held.is_none() || !copy.exists(),
            "{} is there already, from another proposal; move it away first",
            copy.display()
        );
        applied.files.push(AppliedFile {
            path,
            copy: file.held.is_some().then_some(copy),
            before,
            written: Vec::new(),
        });
    }
    let copy_all = || {
        for file in &applied.files {
            if let Some(copy) = &file.copy {
                copy_to(&file.path, copy)?;
            }
        }
        applied.write(&list)
    };
    copy_all().inspect_err(|_| {
        // The first error is the cause of all others.
        for copy in applied.files.iter().filter_map(|file| file.copy.as_ref()) {
            fs::remove_file(copy).ok();
        }
    })
}

/// Puts down what is about to be written to the files that are kept: `undo` tells it from what somebody else wrote.
///
/// # Errors
/// When somebody has changed a file since it was kept, or the list cannot be written.
pub(super) fn will_write(changes: &[Change], directory: &Path) -> anyhow::Result<()> {
    let list = directory.join(LIST);
    let mut applied = Applied::read(&list)?;
    applied.check()?;
    for change in changes {
        let path = std::path::absolute(&change.file.path)?;
        let text = sha256(change.text().as_bytes());
        let mut files = applied.files.iter_mut();
        if let Some(file) = files.find(|file| file.path == path)
            && !file.written.contains(&text)
        {
            file.written.push(text);
        }
    }
    applied.write(&list)
}

impl Applied {
    fn read(list: &Path) -> anyhow::Result<Applied> {
        let text =
            fs::read_to_string(list).with_context(|| format!("cannot read {}", list.display()))?;
        serde_json::from_str(&text).with_context(|| list.display().to_string())
    }

    fn write(&self, list: &Path) -> anyhow::Result<()> {
        write_whole(list, &(serde_json::to_string_pretty(self)? + "\n"))
    }

    /// Asks whether each file holds what it held, or what was written to it.
    fn check(&self) -> anyhow::Result<()> {
        for file in &self.files {
            let now = digest(&file.path)?;
            let is_ours = now.as_ref().is_some_and(|now| file.written.contains(now));
            if now != file.before && !is_ours {
                bail!(
                    "{} has changed since it was tuned, by somebody else; it stays as it is. What it held before is {}",
                    file.path.display(),
                    file.copy
                        .as_ref()
                        .map_or("nothing: it was not there".to_owned(), |copy| {
                            format!("in {}", copy.display())
                        })
                );
            }
        }
        Ok(())
    }
}

/// Gives back what the files held before the last proposal that was applied; the files.
///
/// # Errors
/// When nothing is applied, or somebody has changed a file since: nothing is written then.
pub fn undo(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let list = directory.join(LIST);
    let applied = Applied::read(&list)
        .context("nothing to undo; name the folder that `tune --apply` wrote to with --out")?;
    applied.check()?;
    for file in &applied.files {
        // Where it could not be written, it cannot be now, and need not be.
        if digest(&file.path)? == file.before {
            continue;
        }
        match &file.copy {
            Some(copy) => {
                let held =
                    fs::read(copy).with_context(|| format!("cannot read {}", copy.display()))?;
                ensure!(
                    Some(sha256(&held)) == file.before,
                    "{} is not what {} held; nothing more is undone",
                    copy.display(),
                    file.path.display()
                );
                replace_whole(&file.path, &held)?;
            }
            None if file.path.exists() => fs::remove_file(&file.path)
                .with_context(|| format!("cannot remove {}", file.path.display()))?,
            None => {}
        }
    }
    fs::remove_file(&list).with_context(|| format!("cannot remove {}", list.display()))?;
    for copy in applied.files.iter().filter_map(|file| file.copy.as_ref()) {
        fs::remove_file(copy).with_context(|| format!("cannot remove {}", copy.display()))?;
    }
    Ok(applied.files.into_iter().map(|file| file.path).collect())
}

/// Copies a file with its mode, to the disk.
fn copy_to(path: &Path, copy: &Path) -> anyhow::Result<()> {
    fs::copy(path, copy)
        .and_then(|_| File::open(copy)?.sync_all())
        .with_context(|| format!("cannot write {}", copy.display()))
}

fn check_unchanged(path: &Path, held: Option<&str>) -> anyhow::Result<()> {
    ensure!(
        digest(path)?.as_deref() == held,
        "{} has changed while it was tuned; nothing is applied. Compare it with the diff, or tune again",
        path.display()
    );
    Ok(())
}

/// SHA-256 of what a file holds; none where there is no such file.
fn digest(path: &Path) -> anyhow::Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(sha256(&bytes))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

#[cfg(test)]
mod tests;

//! The configuration files of a stack: the sizes in them, what they would be with others, and a diff.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use warrior_stack::DATABASE;

use super::edit::{Edited, Syntax};
use super::pooler_sizes::{self, Login};
use super::sizes::{Size, Sizes, WORKERS};
use crate::files::replace_whole;

/// Which files a configuration stands in.
#[derive(Clone, Debug)]
pub struct Files {
    /// The `.env` of the server, of `up` or of compose; it may be absent.
    pub env: PathBuf,
    /// The file of a PgBouncer that no `.env` sizes.
    pub pgbouncer_ini: Option<PathBuf>,
    /// The file of a PostgreSQL whose connections must suffice.
    pub postgresql_conf: Option<PathBuf>,
}

/// The files as they are.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    env: ConfigFile,
    pgbouncer_ini: Option<ConfigFile>,
    postgresql_conf: Option<ConfigFile>,
}

/// A file, and what it held; none where there is no such file.
#[derive(Clone, Debug)]
pub(super) struct ConfigFile {
    pub(super) path: PathBuf,
    pub(super) held: Option<String>,
}

/// A file, and what it will hold.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) file: ConfigFile,
    edited: Edited,
}

impl Config {
    /// Reads the files.
    ///
    /// # Errors
    /// Names the file that cannot be read.
    pub(crate) fn read(files: &Files) -> anyhow::Result<Config> {
        let named = |path: &Option<PathBuf>, flag: &str| -> anyhow::Result<Option<ConfigFile>> {
            let Some(path) = path else { return Ok(None) };
            let file = ConfigFile::read(path)?;
            match file.held {
                Some(_) => Ok(Some(file)),
                None => bail!("{flag} {}: there is no such file", path.display()),
            }
        };
        Ok(Config {
            env: ConfigFile::read(&files.env)?,
            pgbouncer_ini: named(&files.pgbouncer_ini, "--pgbouncer-ini")?,
            postgresql_conf: named(&files.postgresql_conf, "--postgresql-conf")?,
        })
    }

    /// The sizes that the files give, and what a server on so many cores chooses where they are silent.
    ///
    /// # Errors
    /// Names the setting that is no number, or that keeps the size of PgBouncer's pool from counting.
    pub(crate) fn sizes(&self, cores: usize) -> anyhow::Result<Sizes> {
        let env = Edited::of(self.env.held.as_deref().unwrap_or_default());
        let env_number = |name: &str| {
            let number = env.number(Syntax::Env, name);
            number.with_context(|| self.env.path.display().to_string())
        };
        let mut sizes = Sizes::of_cores(cores);
        let total = match env.is_auto("WORKERS") {
            true => None,
            false => match env_number("WORKERS")? {
                Some(total) => Some(total),
                None if env.is_auto("GUNICORN_WORKERS") => None,
                None => env_number("GUNICORN_WORKERS")?,
            },
        };
        if let Some(total) = total {
            ensure!(
                WORKERS.contains(&total),
                "{}: WORKERS is {total}; want {} to {} to tune from",
                self.env.path.display(),
                WORKERS.start(),
                WORKERS.end()
            );
            sizes = Sizes::of_workers(total);
        }
        for size in [Size::Create, Size::Find, Size::Search, Size::Batch] {
            if let Some(number) = env_number(size.variable())? {
                sizes = (sizes.with_given(size, number))
                    .with_context(|| self.env.path.display().to_string())?;
            }
        }
        let (file, pooler) = match &self.pgbouncer_ini {
            Some(file) => {
                let ini = Edited::of(file.held.as_deref().unwrap_or_default());
                let number = ini.number(Syntax::PgBouncer, "default_pool_size");
                let number = number.with_context(|| file.path.display().to_string())?;
                // PgBouncer's own default.
                let number = number.unwrap_or(20);
                let text = file.held.as_deref().unwrap_or_default();
                pooler_sizes::check(text, &login(&env), number)
                    .with_context(|| file.path.display().to_string())?;
                (file, Some(number))
            }
            None => (&self.env, env_number(Size::Pooler.variable())?),
        };
        match pooler {
            Some(pooler) => (sizes.with_given(Size::Pooler, pooler))
                .with_context(|| file.path.display().to_string()),
            None => Ok(sizes.with_derived_pooler()),
        }
    }

    /// What keeps PgBouncer's pool from growing as far as it is tried, for reading.
    pub(super) fn ceilings(&self, current: &Sizes) -> Vec<String> {
        let env = Edited::of(self.env.held.as_deref().unwrap_or_default());
        let ini = self.pgbouncer_ini.iter();
        ini.flat_map(|file| {
            let text = file.held.as_deref().unwrap_or_default();
            let said = pooler_sizes::ceilings(text, &login(&env), current.pooler);
            let path = file.path.display().to_string();
            said.into_iter().map(move |said| format!("{path}: {said}"))
        })
        .collect()
    }

    /// What the files would be with other sizes; only those that change.
    pub(super) fn changes(&self, from: &Sizes, to: &Sizes) -> Vec<Change> {
        let changed = to.changes_from(from);
        let mut env = Change::of(&self.env);
        for size in &changed {
            if *size != Size::Pooler || self.pgbouncer_ini.is_none() {
                env.edited.set(Syntax::Env, size.variable(), to.get(*size));
            }
        }
        let mut changes = vec![env];
        if let Some(file) = self
            .pgbouncer_ini
            .as_ref()
            .filter(|_| changed.contains(&Size::Pooler))
        {
            let mut ini = Change::of(file);
            ini.edited
                .set(Syntax::PgBouncer, "default_pool_size", to.pooler);
            changes.push(ini);
        }
        // A ceiling that is written down must not be in the way, nor PostgreSQL have too few for PgBouncer's and those
        // past it.
        let wanted = to.postgres_connections();
        let raise = |edited: &mut Edited, syntax, name, wanted| {
            let has = edited.number(syntax, name).ok().flatten();
            if !changed.is_empty() && has.is_some_and(|has| has < wanted) {
                edited.set(syntax, name, wanted);
            }
        };
        raise(
            &mut changes[0].edited,
            Syntax::Env,
            "POSTGRES_MAX_CONNECTIONS",
            wanted,
        );
        raise(
            &mut changes[0].edited,
            Syntax::Env,
            "DB_POOL_MAX",
            to.connections(),
        );
        if let Some(file) = &self.postgresql_conf {
            let mut conf = Change::of(file);
            raise(
                &mut conf.edited,
                Syntax::PostgreSql,
                "max_connections",
                wanted,
            );
            changes.push(conf);
        }
        changes.retain(|change| !change.diff().is_empty());
        changes
    }

    /// Writes the files with other sizes; those that do not change get back what they held.
    pub(super) fn write(&self, from: &Sizes, to: &Sizes) -> anyhow::Result<()> {
        self.write_back()?;
        for change in self.changes(from, to) {
            replace_whole(&change.file.path, change.text().as_bytes())?;
        }
        Ok(())
    }

    /// All files.
    pub(super) fn files(&self) -> impl Iterator<Item = &ConfigFile> {
        let rest = self.pgbouncer_ini.iter().chain(&self.postgresql_conf);
        [&self.env].into_iter().chain(rest)
    }

    /// Writes what the files held.
    fn write_back(&self) -> anyhow::Result<()> {
        for file in self.files() {
            let now = ConfigFile::read(&file.path)?.held;
            match &file.held {
                _ if now == file.held => {}
                Some(held) => replace_whole(&file.path, held.as_bytes())?,
                None => fs::remove_file(&file.path)
                    .with_context(|| format!("cannot remove {}", file.path.display()))?,
            }
        }
        Ok(())
    }
}

/// The login of the API that a `.env` gives; the server's defaults where it is silent.
fn login(env: &Edited) -> Login {
    let text = |name: &str, default: &str| env.text_of(name).unwrap_or_else(|| default.to_owned());
    Login {
        database: text("POSTGRES_DB", DATABASE),
        user: text("POSTGRES_USER", "warrior"),
    }
}

impl ConfigFile {
    fn read(path: &Path) -> anyhow::Result<ConfigFile> {
        let held = match fs::read_to_string(path) {
            Ok(held) => Some(held),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        let path = path.to_owned();
        Ok(ConfigFile { path, held })
    }
}

impl Change {
    fn of(file: &ConfigFile) -> Change {
        Change {
            file: file.clone(),
            edited: Edited::of(file.held.as_deref().unwrap_or_default()),
        }
    }

    /// What the file will hold.
    pub(super) fn text(&self) -> String {
        self.edited.text()
    }

    /// The change, as `patch` takes it.
    pub(super) fn diff(&self) -> String {
        self.edited.diff(&self.file.path.display().to_string())
    }
}

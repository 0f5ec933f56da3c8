//! Discovery of the installed PostgreSQL and PgBouncer, and of their versions.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::StackError;
use crate::settings::Embedded;
use crate::version::Version;

/// Supported major versions; newer ones are refused because they are untested.
const POSTGRES_MAJORS: std::ops::RangeInclusive<u32> = 15..=17;
/// Oldest supported version, Debian 12's. Older ones lack settings that `pgbouncer.ini` needs.
pub(crate) const POOLER_OLDEST: Version = Version {
    major: 1,
    minor: 18,
};

/// Folders where Homebrew, MacPorts and source builds put versioned or plain PostgreSQL programs.
const BESIDE_PATH: [&str; 5] = [
    "/opt/homebrew/bin",
    "/usr/local/bin",
    "/usr/local/pgsql/bin",
    "/usr/sbin",
    "/usr/local/sbin",
];

/// The programs that a stack runs.
pub(crate) struct Programs {
    /// Every supported PostgreSQL, newest first; never empty.
    postgres: Vec<Postgres>,
    pub(crate) pooler: PathBuf,
    pub(crate) pooler_version: Version,
}

/// One installed PostgreSQL.
#[derive(Clone, Debug)]
pub(crate) struct Postgres {
    pub(crate) bin: PathBuf,
    pub(crate) version: Version,
}

impl Programs {
    pub(crate) fn find(embedded: &Embedded) -> Result<Self, StackError> {
        let postgres = find_postgres(embedded.postgres_bin.as_deref())?;
        let (pooler, pooler_version) = find_pooler(embedded.pgbouncer.as_deref())?;
        Ok(Self {
            postgres,
            pooler,
            pooler_version,
        })
    }

    /// The newest, for a new cluster.
    pub(crate) fn newest(&self) -> &Postgres {
        &self.postgres[0] // never empty, see the field
    }

    /// The program for the cluster at `path`, whose `PG_VERSION` says `data`.
    pub(crate) fn of_major(&self, data: &str, path: &Path) -> Result<&Postgres, StackError> {
        let same = |p: &&Postgres| p.version.major.to_string() == data;
        self.postgres.iter().find(same).ok_or_else(|| {
            let installed: Vec<_> = self
                .postgres
                .iter()
                .map(|p| p.version.major.to_string())
                .collect();
            StackError::OtherMajor {
                path: path.to_owned(),
                data: data.to_owned(),
                installed: installed.join(" and "),
                install: install_command(
                    &format!("sudo apt-get install postgresql-{data}"),
                    &format!("postgresql@{data}"),
                ),
            }
        })
    }
}

fn find_postgres(given: Option<&Path>) -> Result<Vec<Postgres>, StackError> {
    let bins = match given {
        Some(bin) => vec![bin.to_owned()],
        None => postgres_bins(),
    };
    let mut found = Vec::new();
    for bin in bins {
        if bin.join("initdb").is_file() && bin.join("postgres").is_file() {
            match version_of(&bin.join("postgres"), "POSTGRES_BIN") {
                Ok(version) => found.push(Postgres { bin, version }),
                Err(e) if given.is_some() => return Err(e),
                // One of several installations may be half removed; the others decide.
                Err(_) => {}
            }
        }
    }
    found.sort_by_key(|p| std::cmp::Reverse(p.version));
    let install = || install_command("make install", "postgresql@17");
    let Some(newest) = found.first().cloned() else {
        return Err(StackError::MissingProgram {
            program: "PostgreSQL (initdb and postgres)",
            searched: match given {
                Some(bin) => format!("in {} (POSTGRES_BIN)", bin.display()),
                None => "on PATH or where packages put it".to_owned(),
            },
            install: install(),
        });
    };
    found.retain(|p| POSTGRES_MAJORS.contains(&p.version.major));
    if found.is_empty() {
        return Err(StackError::UnsupportedVersion {
            program: "PostgreSQL",
            found: newest.version,
            path: newest.bin,
            supported: format!("{} to {}", POSTGRES_MAJORS.start(), POSTGRES_MAJORS.end()),
            install: install(),
        });
    }
    Ok(found)
}

/// The newest `program` of this machine that comes with a PostgreSQL, supported by the stack or not.
///
/// # Errors
/// When there is none, or none that runs.
pub fn newest_postgres_program(program: &'static str) -> Result<PathBuf, StackError> {
    let mut newest: Option<(Version, PathBuf)> = None;
    let mut broken = None;
    for path in postgres_bins().into_iter().map(|bin| bin.join(program)) {
        if path.is_file() {
            match version_of(&path, "PATH") {
                Ok(version) => newest = newest.max(Some((version, path))),
                // One of several installations may be half removed; the others decide.
                Err(e) => broken = Some(e),
            }
        }
    }
    newest.map(|(_, path)| path).ok_or_else(|| {
        broken.unwrap_or_else(|| StackError::MissingProgram {
            program,
            searched: "on PATH or where packages put it".to_owned(),
            install: install_command("make install", "postgresql@17"),
        })
    })
}

/// Folders of PostgreSQL's programs: Debian, Red Hat and Homebrew keep several majors side by side, outside
/// PATH.
fn postgres_bins() -> Vec<PathBuf> {
    let versioned = [
        ("/usr/lib/postgresql", ""),
        ("/usr", "pgsql-"),
        ("/opt/homebrew/opt", "postgresql@"),
        ("/usr/local/opt", "postgresql@"),
    ];
    let mut bins: Vec<PathBuf> = versioned
        .iter()
        .filter_map(|(folder, prefix)| Some((std::fs::read_dir(folder).ok()?, prefix)))
        .flat_map(|(entries, prefix)| {
            entries
                .flatten()
                .filter(move |e| e.file_name().to_string_lossy().starts_with(prefix))
                .map(|e| e.path().join("bin"))
        })
        .collect();
    bins.extend(search_path());
    bins.extend(pg_config_bin());
    bins
}

fn pg_config_bin() -> Option<PathBuf> {
    let program = search_path()
        .into_iter()
        .map(|f| f.join("pg_config"))
        .find(|p| p.is_file())?;
    let output = Command::new(program).arg("--bindir").output().ok()?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
}

fn find_pooler(given: Option<&Path>) -> Result<(PathBuf, Version), StackError> {
    let install = || install_command("make install", "pgbouncer");
    let path = match given {
        Some(path) => Some(path.to_owned()).filter(|p| p.is_file()),
        None => search_path()
            .into_iter()
            .map(|f| f.join("pgbouncer"))
            .find(|p| p.is_file()),
    };
    let Some(path) = path else {
        return Err(StackError::MissingProgram {
            program: "PgBouncer",
            searched: match given {
                Some(path) => format!("at {} (PGBOUNCER)", path.display()),
                None => "on PATH or where packages put it".to_owned(),
            },
            install: install(),
        });
    };
    let found = version_of(&path, "PGBOUNCER")?;
    if found < POOLER_OLDEST {
        return Err(StackError::UnsupportedVersion {
            program: "PgBouncer",
            found,
            path,
            supported: format!("{POOLER_OLDEST} or newer"),
            install: install(),
        });
    }
    Ok((path, found))
}

/// PATH, and the folders that an ordinary user's PATH lacks.
#[expect(
    clippy::disallowed_methods,
    reason = "PATH is the system's, and no setting of this program"
)]
fn search_path() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default();
    folders.extend(BESIDE_PATH.iter().map(PathBuf::from));
    folders
}

pub(crate) fn version_of(program: &Path, variable: &'static str) -> Result<Version, StackError> {
    let broken = |reason: String| StackError::BrokenProgram {
        path: program.to_owned(),
        reason,
        variable,
    };
    let output = Command::new(program)
        .arg("--version")
        .output()
        .map_err(|e| broken(e.to_string()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_whitespace()
        .find_map(Version::parse)
        .ok_or_else(|| broken(format!("--version printed {:?}", text.trim())))
}

/// The command that installs PostgreSQL and PgBouncer on this machine.
fn install_command(debian: &str, homebrew: &str) -> String {
    if cfg!(target_os = "macos") {
        format!("brew install {homebrew}")
    } else {
        debian.to_owned()
    }
}

//! The embedded PostgreSQL cluster: initialised once, configured anew at each start, recovered after a crash.

use std::fs;

use crate::endpoints::Instance;
use crate::error::StackError;
use crate::folder::{self, Folder, failed};
use crate::initdb::initdb;
use crate::ladders::{self, Ladder};
use crate::layout;
use crate::postmaster::launch;
use crate::process::{self, Process};
use crate::programs::{self, Postgres, Programs};
use crate::shipped;
use crate::stop::Stop;
use crate::upgrade::Watch;

/// A running PostgreSQL.
pub(crate) struct Cluster {
    process: Process,
    postgres: Postgres,
    watch: Watch,
    port: u16,
    ladder: Ladder,
}

impl Cluster {
    pub(crate) fn start(
        folder: &Folder,
        programs: &Programs,
        port: u16,
        machine_conf: &str,
        progress: &mut dyn FnMut(&str),
        stop: &Stop,
    ) -> Result<Self, StackError> {
        let path = layout::cluster(folder.path());
        let made = layout::cluster_made(folder.path());
        let postgres = match fs::read_to_string(path.join("PG_VERSION")) {
            Ok(major) => programs.of_major(major.trim(), &path)?,
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(failed("read", &path)(e));
            }
            Err(_) if made.exists() => return Err(StackError::Vanished { path }),
            Err(_) => {
                let postgres = programs.newest();
                progress(&format!(
                    "Making a PostgreSQL {} cluster in {}",
                    postgres.version,
                    path.display()
                ));
                initdb(folder, postgres)?;
                postgres
            }
        };
        folder::write(&made, "")?;
        folder::write(&path.join("postgresql.conf"), shipped::POSTGRESQL_CONF)?;
        folder::write(&path.join("pg_hba.conf"), shipped::PG_HBA_CONF)?;
        folder::write(&path.join("machine.conf"), machine_conf)?;
        progress(&format!(
            "Starting PostgreSQL {} on 127.0.0.1:{port}",
            postgres.version
        ));
        process::rotate(&layout::postgres_log(folder.path()));
        Ok(Self {
            watch: watch(postgres),
            process: launch(folder, postgres, port, stop)?,
            postgres: postgres.clone(),
            port,
            ladder: if folder.is_throw_away() {
                ladders::POSTGRES_THROW_AWAY
            } else {
                ladders::POSTGRES
            },
        })
    }

    /// Restarts PostgreSQL, with a checkpoint that spares the new one a crash recovery.
    pub(crate) fn restart(&mut self, folder: &Folder, stop: &Stop) -> Result<(), StackError> {
        match self.process.stop(ladders::POSTGRES) {
            // A killed process has ended, too: a hang may be the reason of the restart.
            Ok(()) | Err(StackError::Killed { .. }) => {}
            Err(e) => return Err(e),
        }
        if let Ok(version) = programs::version_of(self.watch.program(), "POSTGRES_BIN") {
            self.postgres.version = version;
        }
        self.watch = watch(&self.postgres);
        self.process = launch(folder, &self.postgres, self.port, stop)?;
        Ok(())
    }

    /// A sentence when a package upgrade replaced the running program by another minor version.
    pub(crate) fn replaced(&mut self) -> Option<String> {
        let version = self.postgres.version;
        let replacement = self.watch.replaced("PostgreSQL", "POSTGRES_BIN", |new| {
            new.major == version.major
        })?;
        Some(format!("PostgreSQL {version} was replaced: {replacement}"))
    }

    /// A data check: PostgreSQL goes on from its open files when the folder is gone, and what it acknowledges
    /// then is lost.
    pub(crate) fn check_exists(&self, folder: &Folder) -> Result<(), StackError> {
        let path = layout::cluster(folder.path());
        match fs::metadata(path.join("PG_VERSION")) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                Err(StackError::Vanished { path })
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn stop(&mut self) -> Result<(), StackError> {
        self.process.stop(self.ladder)
    }

    pub(crate) fn exit_report(&mut self) -> Option<String> {
        self.process.exit_report()
    }

    pub(crate) fn instance(&self) -> Instance {
        Instance {
            port: self.port,
            pid: self.process.pid(),
            version: self.postgres.version,
        }
    }
}

/// An ordered shutdown, also without a call to stop.
impl Drop for Cluster {
    fn drop(&mut self) {
        // No caller is left to report a kill to; the next start recovers.
        let _ = self.stop();
    }
}

/// The watch covers the libraries, too: one package owns both.
fn watch(postgres: &Postgres) -> Watch {
    let libraries = postgres.bin.join("../lib");
    Watch::new(
        postgres.bin.join("postgres"),
        vec![postgres.bin.clone(), libraries],
    )
}

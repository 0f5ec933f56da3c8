//! The embedded PostgreSQL cluster: initialised once, configured anew at each start, recovered after a crash.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::StackError;
use crate::folder::{self, Folder, failed};
use crate::ladders::{self, Ladder};
use crate::layout::{self, Instance};
use crate::process::{self, Process, Wait};
use crate::programs::{self, Postgres, Programs};
use crate::sizes::Sizes;
use crate::stop::Stop;
use crate::upgrade::Watch;
use crate::version::Version;
use crate::{leftovers, shipped};

const NAME: &str = "PostgreSQL";

/// Longest crash recovery: a replay of the WAL since the last checkpoint, at most some `max_wal_size`.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(600);
/// Longest time until the orphaned backends of a killed postmaster detach from its shared memory.
const ORPHANS_TIMEOUT: Duration = Duration::from_secs(20);
const ORPHANS_POLL: Duration = Duration::from_millis(100);
/// PostgreSQL's message while orphans are still attached.
const ORPHANS_MESSAGE: &str = "pre-existing shared memory block";
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
        let postgres = match fs::read_to_string(path.join("PG_VERSION")) {
            Ok(major) => programs.of_major(major.trim(), &path)?,
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
        let told = self.watch.replaced("PostgreSQL", "POSTGRES_BIN", |new| {
            new.major == version.major
        })?;
        Some(format!("PostgreSQL {version} was replaced: {told}"))
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

/// An atomic initdb: the cluster is made under another name, so that a killed run leaves no half cluster.
fn initdb(folder: &Folder, postgres: &Postgres) -> Result<(), StackError> {
    let path = layout::cluster(folder.path());
    let new = folder.path().join("pg.new");
    match fs::remove_dir_all(&new) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            return Err(failed("remove", &new)(e));
        }
        _ => {}
    }
    let program = postgres.bin.join("initdb");
    let mut command = clean(&program, folder);
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

/// The settings that depend on this machine and this start; PostgreSQL reads them after `postgresql.conf`.
pub(crate) fn machine_conf(port: u16, sizes: &Sizes, full_size: bool) -> String {
    let memory = crate::memory::limit_bytes() >> 20;
    let shared_buffers = shared_buffers_mib(memory, full_size);
    let max_connections = sizes.postgres_connections();
    // macOS has no posix_fadvise, and PostgreSQL refuses a number of pages to advise about there.
    let io = if cfg!(target_os = "macos") {
        "effective_io_concurrency = 0\n"
    } else {
        ""
    };
    format!(
        "# Made by warrior-api at each start for this machine ({memory} MiB); changes are lost.\n\
         port = {port}\n\
         shared_buffers = {shared_buffers}MB\n\
         max_connections = {max_connections}\n\
         {io}"
    )
}

/// `shared_buffers`: a quarter of the memory, up to 16 GiB, beyond which the kernel's page cache does better.
/// A stack that stands beside others takes at most 256 MiB.
fn shared_buffers_mib(memory: u64, full_size: bool) -> u64 {
    let most = if full_size { 16 * 1024 } else { 256 };
    (memory / 4).clamp(32, most)
}

/// Starts PostgreSQL, or adopts a postmaster that another program started, and waits until it is ready.
fn launch(
    folder: &Folder,
    postgres: &Postgres,
    port: u16,
    stop: &Stop,
) -> Result<Process, StackError> {
    let deadline = Instant::now() + ORPHANS_TIMEOUT;
    loop {
        let mut process = match leftovers::postmaster(folder) {
            Some(pid) => {
                tracing::warn!("PostgreSQL (process {pid}) was started by another program");
                Process::adopt(NAME, pid, &layout::postgres_log(folder.path()))
            }
            None => {
                leftovers::forget_postmaster(folder)?;
                spawn(folder, postgres)?
            }
        };
        let waited = process::wait(RECOVERY_TIMEOUT, stop, || {
            process.ended().is_some() || is_ready(folder.path(), process.pid())
        });
        let end = process.ended().map(str::to_owned);
        match (waited, end) {
            (Wait::Held, None) => return on_port(process, folder, port),
            (Wait::Held, Some(_))
                if process.said(ORPHANS_MESSAGE)
                    && Instant::now() < deadline
                    && !stop.wait_within(ORPHANS_POLL) => {}
            (Wait::Held, Some(end)) => {
                return Err(process.did_not_start(format!("it ended ({end})")));
            }
            (Wait::TimedOut, _) => {
                let reason = format!("it was not ready after {} s", RECOVERY_TIMEOUT.as_secs());
                let error = process.did_not_start(reason);
                return process.stop(ladders::POSTGRES).and(Err(error));
            }
            (Wait::Stopped, _) => {
                return process
                    .stop(ladders::POSTGRES)
                    .and(Err(StackError::Interrupted));
            }
        }
    }
}

/// An adopted postmaster may listen on another port; then it is for its starter to stop.
fn on_port(process: Process, folder: &Folder, port: u16) -> Result<Process, StackError> {
    let text = fs::read_to_string(layout::postmaster_pid(folder.path())).unwrap_or_default();
    // The fourth line of the pid file is the port, as pg_ctl reads it.
    if process.is_adopted() && text.lines().nth(3) != Some(port.to_string().as_str()) {
        return Err(StackError::RunElsewhere {
            path: layout::cluster(folder.path()),
            pid: process.pid(),
            port,
        });
    }
    Ok(process)
}

/// The watch covers the libraries, too: one package owns both.
fn watch(postgres: &Postgres) -> Watch {
    let libraries = postgres.bin.join("../lib");
    Watch::new(
        postgres.bin.join("postgres"),
        vec![postgres.bin.clone(), libraries],
    )
}

fn spawn(folder: &Folder, postgres: &Postgres) -> Result<Process, StackError> {
    let program = postgres.bin.join("postgres");
    let mut command = clean(&program, folder);
    command.arg("-D").arg(layout::cluster(folder.path()));
    Process::start(NAME, &mut command, &layout::postgres_log(folder.path()))
        .map_err(failed("run", &program))
}

/// Readiness as pg_ctl finds it: the eighth line of the pid file is the state.
fn is_ready(data: &Path, pid: u32) -> bool {
    let Ok(text) = fs::read_to_string(layout::postmaster_pid(data)) else {
        return false;
    };
    let mut lines = text.lines();
    lines.next() == Some(pid.to_string().as_str())
        && lines.nth(6).is_some_and(|state| state.trim() == "ready")
}

/// A command with a clean environment: `PGPORT` and its like would change what the programs do, and the
/// environment may hold passwords. LC_ALL must be set, or macOS starts threads that PostgreSQL refuses.
/// The working directory may be unreadable once root is left, so the data folder takes its place.
fn clean(program: &Path, folder: &Folder) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("LC_ALL", "C")
        .current_dir(folder.path())
        .stdin(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_buffers_are_a_quarter_within_bounds() {
        assert_eq!(shared_buffers_mib(2048, true), 512);
        assert_eq!(shared_buffers_mib(64, true), 32);
        assert_eq!(shared_buffers_mib(1_048_576, true), 16_384);
        assert_eq!(shared_buffers_mib(65_536, false), 256);
    }
}

//! A PostgreSQL cluster of the control's own, which it may kill.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid, User, chown};
use postgres::{Client, NoTls};

use super::{complete, free_port};
use crate::machine::newest_postgres;

/// How long recovery may take.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A cluster that is removed, processes and files, when dropped.
pub struct Cluster {
    directory: PathBuf,
    programs: PathBuf,
    port: u16,
    synchronous_commit: bool,
    postmaster: Option<Child>,
}

/// Where the newest PostgreSQL of the machine keeps its programs.
///
/// # Errors
/// When there is none.
pub fn newest_programs() -> anyhow::Result<PathBuf> {
    newest_postgres("initdb").context("no PostgreSQL under /usr/lib/postgresql; give --programs")
}

impl Cluster {
    /// Makes it, with PostgreSQL's programs of this directory.
    pub fn create(programs: &Path, synchronous_commit: bool) -> anyhow::Result<Cluster> {
        let name = format!("warrior-load-control-{}", uuid::Uuid::new_v4());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir(&directory)
            .with_context(|| format!("cannot create {}", directory.display()))?;
        let cluster = Cluster {
            directory,
            programs: programs.to_owned(),
            port: free_port()?,
            synchronous_commit,
            postmaster: None,
        };
        if let Some(user) = other_user()? {
            chown(&cluster.directory, Some(user.uid), Some(user.gid))?;
        }
        // No passwords: the cluster holds random names for a minute, on loopback alone.
        complete(
            cluster
                .program("initdb")?
                .args(["--auth=trust", "--username=postgres", "--encoding=UTF8"])
                .args(["--locale=C.UTF-8", "--no-sync", "-D"])
                .arg(cluster.data()),
        )?;
        Ok(cluster)
    }

    /// Starts the cluster and waits until it answers.
    pub fn start(&mut self) -> anyhow::Result<()> {
        let log = fs::File::options()
            .append(true)
            .create(true)
            .open(self.directory.join("log"))
            .context("cannot write the cluster's log")?;
        let commit = if self.synchronous_commit { "on" } else { "off" };
        let mut command = self.program("postgres")?;
        command
            .arg("-D")
            .arg(self.data())
            .args([
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "unix_socket_directories=",
            ])
            .args(["-c", &format!("port={}", self.port)])
            .args(["-c", &format!("synchronous_commit={commit}")])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        self.postmaster = Some(command.spawn().context("cannot start postgres")?);
        let deadline = Instant::now() + READY_WITHIN;
        while let Err(error) = Client::connect(&self.connection_to("postgres", "postgres"), NoTls) {
            if Instant::now() > deadline {
                bail!("the control's cluster does not answer: {error}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Makes the database, the roles and the schema, with the files that the server ships.
    pub(super) fn prepare(&self, server: &Path) -> anyhow::Result<()> {
        let mut client = Client::connect(&self.connection_to("postgres", "postgres"), NoTls)?;
        client.batch_execute(include_str!("database.sql"))?;
        let roles = include_str!("../../../postgres-conf/roles.sql");
        let file = self.directory.join("roles.sql");
        fs::write(&file, roles)?;
        complete(
            Command::new(self.programs.join("psql"))
                .args(["-X", "-q", "-f"])
                .arg(&file)
                .arg(self.connection_to("postgres", "warrior_api")),
        )?;
        complete(self.server_command(server).args(["schema", "apply"]))
    }

    /// The server, told where this cluster is.
    pub(super) fn server_command(&self, server: &Path) -> Command {
        let mut command = Command::new(server);
        command
            .envs([
                ("POSTGRES_HOST", "127.0.0.1"),
                ("POSTGRES_DIRECT_HOST", "127.0.0.1"),
            ])
            .env("POSTGRES_PORT", self.port.to_string())
            .env("POSTGRES_DIRECT_PORT", self.port.to_string())
            .envs([("POSTGRES_DB", "warrior_api"), ("POSTGRES_USER", "warrior")])
            .envs([
                ("POSTGRES_PASSWORD", "none"),
                ("POSTGRES_OWNER_PASSWORD", "none"),
            ])
            .env("POSTGRES_OWNER", "warrior_owner")
            .env(
                "IDEMPOTENCY_SECRET",
                "for the negative control, thirty-two characters and more",
            )
            .current_dir(&self.directory);
        command
    }

    /// The connection string of a role to the API's database.
    pub fn connection(&self, role: &str) -> String {
        self.connection_to(role, "warrior_api")
    }

    /// Kills the postmaster and everything it started, at once, without a chance to write.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let Some(mut postmaster) = self.postmaster.take() else {
            return Ok(());
        };
        let parent = i32::try_from(postmaster.id())?;
        // Stopped first, so that the postmaster cannot react to the deaths of the others.
        kill(Pid::from_raw(parent), Signal::SIGSTOP)?;
        let children = children(parent);
        for pid in children.iter().chain([&parent]) {
            // One that has ended by itself is as dead.
            kill(Pid::from_raw(*pid), Signal::SIGKILL).ok();
        }
        postmaster.wait()?;
        let deadline = Instant::now() + Duration::from_secs(10);
        while children.iter().any(|pid| runs(*pid)) {
            if Instant::now() > deadline {
                bail!("a process of the killed cluster is still there after 10 s");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn connection_to(&self, role: &str, database: &str) -> String {
        format!(
            "host=127.0.0.1 port={} user={role} dbname={database}",
            self.port
        )
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// A program of PostgreSQL, as a user that it accepts.
    fn program(&self, name: &str) -> anyhow::Result<Command> {
        let path = self.programs.join(name);
        anyhow::ensure!(
            path.exists(),
            "{} is not there; give --programs",
            path.display()
        );
        let mut command = match other_user()? {
            Some(user) => {
                let mut command = Command::new("setpriv");
                command
                    .args(["--reuid", &user.name, "--regid", &user.gid.to_string()])
                    .args(["--clear-groups", "--"])
                    .arg(path);
                command
            }
            None => Command::new(path),
        };
        command.current_dir(&self.directory);
        Ok(command)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Nothing can be done about an error here but to leave the directory.
        self.kill().ok();
        fs::remove_dir_all(&self.directory).ok();
    }
}

/// PostgreSQL refuses root: the user it runs as instead, or `None` when that is this one.
fn other_user() -> anyhow::Result<Option<User>> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    User::from_name("postgres")?
        .map(Some)
        .context("PostgreSQL refuses root, and there is no user `postgres`")
}

/// The processes whose parent this is.
fn children(parent: i32) -> Vec<i32> {
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| stat(*pid).is_some_and(|(_, its_parent)| its_parent == parent))
        .collect()
}

/// False for a zombie: it has ended, and a process 1 that reaps nobody keeps it for ever.
fn runs(pid: i32) -> bool {
    stat(pid).is_some_and(|(state, _)| state != "Z")
}

/// The state of a process and its parent; `None` when there is none.
fn stat(pid: i32) -> Option<(String, i32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything.
    let (_, after) = text.rsplit_once(')')?;
    let mut words = after.split_whitespace();
    Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zombie_has_ended() {
        let mut child = Command::new("true").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while runs(pid) {
            assert!(Instant::now() < deadline, "it still runs");
            std::thread::yield_now();
        }
        // Nobody has waited for it yet.
        assert!(children(i32::try_from(std::process::id()).unwrap()).contains(&pid));
        child.wait().unwrap();
    }
}

//! `make stress`: an ephemeral stack, a profile, verification, five lines.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Deserialize;

use crate::database::DatabaseAccess;
use crate::target::Target;

/// How long a stack may take to be ready: it makes a cluster first.
const READY_WITHIN: Duration = Duration::from_secs(120);

/// How long it may take to stop before it is killed.
const STOPPED_WITHIN: Duration = Duration::from_secs(30);

/// The database of a stack.
const DATABASE: &str = "warrior_api";

/// A stack that runs while this value lives.
#[derive(Debug)]
pub struct Stack {
    child: Child,
    /// The API.
    pub api: Target,
    /// The admin listener.
    pub admin: Target,
    /// Direct access to its database.
    pub database: DatabaseAccess,
    /// The data folder.
    pub data: PathBuf,
    /// PostgreSQL itself.
    pub postgres: Instance,
    /// PgBouncer.
    pub pooler: Instance,
}

impl Stack {
    /// Starts `server up --ephemeral` and waits for the one line of JSON that says where it
    /// listens. The stack stops when its standard input ends, so also when this process is killed.
    pub fn start(server: &Path) -> anyhow::Result<Stack> {
        Stack::start_with(server, &[])
    }

    /// The same with PostgreSQL sized for the machine, as a stack that is kept would be.
    pub fn start_full_size(server: &Path) -> anyhow::Result<Stack> {
        Stack::start_with(server, &["--full-size"])
    }

    fn start_with(server: &Path, flags: &[&str]) -> anyhow::Result<Stack> {
        let mut child = Command::new(server)
            .args(["up", "--ephemeral", "--until-stdin-ends"])
            .args(flags)
            .stdout(Stdio::piped())
            .stdin(Stdio::piped())
            // Ctrl-C ends the run first; the stack goes when the run is over.
            .process_group(0)
            .spawn()
            .with_context(|| {
                format!(
                    "cannot start {}; build it with `cargo build --release`",
                    server.display()
                )
            })?;
        match ready_line(&mut child).and_then(|line| Told::read(&line)) {
            Ok(told) => Ok(Stack {
                child,
                api: told.api,
                admin: told.admin,
                database: access(
                    &told.running.data,
                    told.running.postgres,
                    DATABASE,
                    "warrior_monitor",
                    "monitor",
                ),
                data: told.running.data,
                postgres: told.running.postgres,
                pooler: told.running.pooler,
            }),
            Err(error) => {
                end(&mut child);
                Err(error)
            }
        }
    }

    /// The process id of the server.
    pub fn server_pid(&self) -> u32 {
        self.child.id()
    }

    /// Direct access as the owner of the schema.
    pub fn owner(&self) -> DatabaseAccess {
        access(
            &self.data,
            self.postgres,
            DATABASE,
            "warrior_owner",
            "owner",
        )
    }

    /// Direct access as PostgreSQL's superuser.
    pub fn superuser(&self) -> DatabaseAccess {
        access(&self.data, self.postgres, DATABASE, "postgres", "superuser")
    }

    /// PgBouncer's console, as its administrator.
    pub fn console(&self) -> DatabaseAccess {
        access(
            &self.data,
            self.pooler,
            "pgbouncer",
            "pooler_admin",
            "pooler_admin",
        )
    }

    /// Access as the role that serves requests, directly or through PgBouncer.
    pub fn runtime(&self, through: Instance) -> DatabaseAccess {
        access(&self.data, through, DATABASE, "warrior", "warrior")
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// What `up --until-stdin-ends` announces in one line of JSON, as far as it is of use here.
#[derive(Deserialize)]
struct Announcement {
    http: String,
    admin: String,
    running: Running,
}

#[derive(Deserialize)]
struct Running {
    data: PathBuf,
    postgres: Instance,
    pooler: Instance,
}

/// PostgreSQL or PgBouncer as they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Instance {
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// Its process id.
    pub pid: u32,
    /// Its version.
    pub version: Version,
}

/// The first two numbers of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// How a role reaches the database, directly or through PgBouncer.
fn access(
    data: &Path,
    through: Instance,
    database: &str,
    role: &str,
    secret: &str,
) -> DatabaseAccess {
    DatabaseAccess {
        connection: format!(
            "host=127.0.0.1 port={} dbname={database} user={role}",
            through.port
        ),
        password_file: Some(data.join(format!("secrets/{secret}.password"))),
    }
}

struct Told {
    api: Target,
    admin: Target,
    running: Running,
}

impl Told {
    fn read(line: &str) -> anyhow::Result<Told> {
        let told: Announcement = serde_json::from_str(line)
            .with_context(|| format!("the server announced itself in another form: {line}"))?;
        Ok(Told {
            api: Target::parse(&format!("http://{}", told.http))?,
            admin: Target::parse(&format!("http://{}", told.admin))?,
            running: told.running,
        })
    }
}

/// The first line of the child's standard output that is a JSON object.
fn ready_line(child: &mut Child) -> anyhow::Result<String> {
    let output = child
        .stdout
        .take()
        .context("the server has no standard output")?;
    let (sender, lines) = sync_channel(16);
    std::thread::spawn(move || {
        // Reads on after the line was found, so that the server never blocks on a full pipe.
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if line.trim_start().starts_with('{') {
                sender.try_send(line).ok();
            }
        }
    });
    match lines.recv_timeout(READY_WITHIN) {
        Ok(line) => Ok(line),
        Err(RecvTimeoutError::Timeout) => {
            bail!(
                "the stack was not ready within {} s",
                READY_WITHIN.as_secs()
            )
        }
        Err(RecvTimeoutError::Disconnected) => {
            bail!("the server ended before it was ready; its own output above says why")
        }
    }
}

/// Asks the child to stop, and kills it when it does not.
fn end(child: &mut Child) {
    if let Ok(pid) = i32::try_from(child.id()) {
        kill(Pid::from_raw(pid), Signal::SIGTERM).ok();
    }
    let deadline = std::time::Instant::now() + STOPPED_WITHIN;
    while std::time::Instant::now() < deadline {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    child.kill().ok();
    child.wait().ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_announcement_is_read() {
        let version = r#""version":{"major":15,"minor":18}"#;
        let line = format!(
            r#"{{"http":"127.0.0.1:1","admin":"127.0.0.1:2","running":{{"data":"/d",
                "postgres":{{"port":3,"pid":4,{version}}},"pooler":{{"port":5,"pid":6,{version}}},"more":7}}}}"#
        );
        let told = Told::read(&line).expect("complete");
        assert_eq!(told.admin.address.port(), 2);
        assert_eq!(
            (told.running.pooler.pid, told.running.postgres.port),
            (6, 3)
        );
        assert_eq!(told.running.postgres.version.to_string(), "15.18");
        let monitor = access(
            &told.running.data,
            told.running.postgres,
            DATABASE,
            "r",
            "monitor",
        );
        assert_eq!(
            monitor.connection,
            "host=127.0.0.1 port=3 dbname=warrior_api user=r"
        );
        assert_eq!(
            monitor.password_file.as_deref(),
            Some(Path::new("/d/secrets/monitor.password"))
        );
        assert!(Told::read(r#"{"http":"127.0.0.1:1"}"#).is_err());
    }
}

//! An ephemeral stack under test: the server with its own PostgreSQL and PgBouncer, as a child process.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use warrior_stack::announcement::Announcement;
use warrior_stack::{DATABASE, Database, Endpoints, SecretSource};
pub use warrior_stack::{Instance, Version};

use crate::database::DatabaseAccess;
use crate::target::Target;

/// Longest time until a stack is ready: it makes a cluster first.
const READY_TIMEOUT: Duration = Duration::from_secs(120);
/// Longest time of a graceful shutdown, after which the stack is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a stack that stops is asked whether it has ended.
const STOP_POLL: Duration = Duration::from_millis(50);
/// Lines of a stack's standard output that may wait.
const LINES_MAX: usize = 16;

/// The programs under test.
#[derive(Clone, Debug)]
pub struct Programs {
    /// `warrior-api`.
    pub server: PathBuf,
    /// Folder of PostgreSQL's programs; none takes the newest that the machine has.
    pub postgres: Option<PathBuf>,
    /// PgBouncer; none takes the machine's.
    pub pooler: Option<PathBuf>,
    /// HAProxy; none takes the machine's.
    pub haproxy: Option<PathBuf>,
}

impl Programs {
    /// The server on the machine's own PostgreSQL and PgBouncer.
    pub fn of_machine(server: &Path) -> Programs {
        Programs {
            server: server.to_owned(),
            postgres: None,
            pooler: None,
            haproxy: None,
        }
    }

    /// The server as a command, told where the others are.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.server);
        command
            .envs(self.postgres.iter().map(|folder| ("POSTGRES_BIN", folder)))
            .envs(self.pooler.iter().map(|program| ("PGBOUNCER", program)));
        command
    }
}

/// A stack that runs while this value lives.
#[derive(Debug)]
pub struct Stack {
    child: Child,
    /// The API.
    pub api: Target,
    /// The admin listener.
    pub admin: Target,
    /// Direct access to its database, as the role that reads statistics.
    pub database: DatabaseAccess,
    /// The data folder.
    pub data: PathBuf,
    /// PostgreSQL itself.
    pub postgres: Instance,
    /// PgBouncer.
    pub pooler: Instance,
}

/// The server's program: the given one, or the one beside this program.
///
/// # Errors
/// When there is none.
pub fn server_program(given: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    program_beside("warrior-api", given, "--server")
}

/// A program by its name: the given one, or the one beside this program, wherever it is run. `flag` gives another.
///
/// # Errors
/// When there is none.
pub fn program_beside(name: &str, given: Option<PathBuf>, flag: &str) -> anyhow::Result<PathBuf> {
    if let Some(given) = given {
        return Ok(given);
    }
    let beside = std::env::current_exe()?.with_file_name(name);
    ensure!(
        beside.exists(),
        "{} does not exist; build it with `cargo build --release --workspace`, or name the program with {flag}",
        beside.display()
    );
    Ok(beside)
}

impl Stack {
    /// Starts `server up --ephemeral` and waits for its announcement. The stack stops when its standard input
    /// ends, so also when this process is killed.
    pub fn start(server: &Path) -> anyhow::Result<Stack> {
        Stack::of_programs(&Programs::of_machine(server))
    }

    /// The same with its log in a file.
    ///
    /// # Errors
    /// As those of [`Stack::start`].
    pub fn start_logging(server: &Path, log: File) -> anyhow::Result<Stack> {
        Stack::start_with(&Programs::of_machine(server), &[], log.into())
    }

    /// The same with other programs than the machine's.
    pub(crate) fn of_programs(programs: &Programs) -> anyhow::Result<Stack> {
        Stack::start_with(programs, &[], Stdio::inherit())
    }

    /// The same with PostgreSQL sized for the machine, as a stack that is kept would be.
    pub fn start_full_size(server: &Path) -> anyhow::Result<Stack> {
        let flags = &["--full-size"];
        Stack::start_with(&Programs::of_machine(server), flags, Stdio::inherit())
    }

    /// The same with the plain schema.
    pub fn start_plain(server: &Path) -> anyhow::Result<Stack> {
        let flags = &["--full-size", "--plain"];
        Stack::start_with(&Programs::of_machine(server), flags, Stdio::inherit())
    }

    fn start_with(programs: &Programs, flags: &[&str], log: Stdio) -> anyhow::Result<Stack> {
        let mut child = programs
            .command()
            .args(["up", "--ephemeral", "--until-stdin-ends"])
            .args(flags)
            .stdout(Stdio::piped())
            .stdin(Stdio::piped())
            .stderr(log)
            // Ctrl-C ends the run first; the stack goes when the run is over.
            .process_group(0)
            .spawn()
            .with_context(|| {
                format!(
                    "cannot start {}; build it with `cargo build --release`",
                    programs.server.display()
                )
            })?;
        let announced = ready_line(&mut child).and_then(|line| {
            serde_json::from_str(&line)
                .with_context(|| format!("the server announced itself in another form: {line}"))
        });
        match announced {
            Ok(announced) => Ok(Stack::of(child, announced)?),
            Err(error) => {
                end(&mut child);
                Err(error)
            }
        }
    }

    fn of(child: Child, announced: Announcement) -> anyhow::Result<Stack> {
        let running = announced.running;
        Ok(Stack {
            child,
            api: Target::parse(&format!("http://{}", announced.http))?,
            admin: Target::parse(&format!("http://{}", announced.admin))?,
            database: access(&running.monitor(DATABASE)),
            data: running.data,
            postgres: running.postgres,
            pooler: running.pooler,
        })
    }

    /// The process id of the server.
    pub fn server_pid(&self) -> u32 {
        self.child.id()
    }

    /// Direct access as the owner of the schema.
    pub fn owner(&self) -> DatabaseAccess {
        access(&self.endpoints().owner(DATABASE))
    }

    /// Direct access as PostgreSQL's superuser.
    pub fn superuser(&self) -> DatabaseAccess {
        access(&self.endpoints().superuser(DATABASE))
    }

    /// PgBouncer's console, as its administrator.
    pub fn console(&self) -> DatabaseAccess {
        access(&self.endpoints().pooler_admin())
    }

    /// Access as the role that serves requests, directly or through PgBouncer.
    pub fn runtime(&self, through: Instance) -> DatabaseAccess {
        access(&Database {
            port: through.port,
            ..self.endpoints().runtime(DATABASE)
        })
    }

    fn endpoints(&self) -> Endpoints {
        Endpoints {
            data: self.data.clone(),
            postgres: self.postgres,
            pooler: self.pooler,
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// A login of the stack as a connection string and a password file.
pub(crate) fn access(login: &Database) -> DatabaseAccess {
    let Database {
        host,
        port,
        dbname,
        user,
        ..
    } = login;
    DatabaseAccess {
        connection: format!("host={host} port={port} dbname={dbname} user={user}"),
        password_file: match &login.password {
            Some(SecretSource::File(path)) => Some(path.clone()),
            Some(SecretSource::Inline(_)) | None => None,
        },
    }
}

/// The first line of the child's standard output that is a JSON object.
fn ready_line(child: &mut Child) -> anyhow::Result<String> {
    let output = child
        .stdout
        .take()
        .context("the server has no standard output")?;
    let (sender, lines) = sync_channel(LINES_MAX);
    std::thread::spawn(move || {
        // The thread reads on after the line, so that the server never blocks on a full pipe.
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if line.trim_start().starts_with('{') {
                sender.try_send(line).ok();
            }
        }
    });
    match lines.recv_timeout(READY_TIMEOUT) {
        Ok(line) => Ok(line),
        Err(RecvTimeoutError::Timeout) => {
            bail!(
                "the stack was not ready within {} s",
                READY_TIMEOUT.as_secs()
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
    let deadline = std::time::Instant::now() + STOP_TIMEOUT;
    while std::time::Instant::now() < deadline {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(STOP_POLL);
    }
    child.kill().ok();
    child.wait().ok();
}

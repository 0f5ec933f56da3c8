//! The program itself, as a process: `warrior-api serve`.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use warrior_api::config::{Database, SecretSource};

use crate::supervisor::{WARRIOR_API, eventually};

/// A running `warrior-api serve`. Dropping it kills it.
pub(crate) struct Program {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
    pub(crate) public: SocketAddr,
    pub(crate) admin: SocketAddr,
}

/// `warrior-api serve` on free ports, without this process's settings and without a `.env`.
pub(crate) fn serve() -> Command {
    let mut command = Command::new(WARRIOR_API);
    command
        .env_clear()
        .env("PORT", "0")
        .env("ADMIN_PORT", "0")
        .env("WORKERS", "3")
        .env("DB_POOL_MIN", "0")
        .env("IDEMPOTENCY_SECRET", "the secret of the tests")
        .current_dir("/")
        .arg("serve");
    command
}

/// Makes `command` serve from `database`.
pub(crate) fn from<'c>(command: &'c mut Command, database: &Database) -> &'c mut Command {
    let password: &Path = match &database.password {
        Some(SecretSource::File(path)) => path,
        other => panic!("the stack keeps its passwords in files, not {other:?}"),
    };
    command
        .env("POSTGRES_HOST", &database.host)
        .env("POSTGRES_PORT", database.port.to_string())
        .env("POSTGRES_DB", &database.dbname)
        .env("POSTGRES_USER", &database.user)
        .env("POSTGRES_PASSWORD_FILE", password)
}

/// Runs a start that must fail, and gives what it said on standard error.
pub(crate) fn refusal(command: &mut Command) -> String {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program under test runs");
    let mut status = None;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while status.is_none() && std::time::Instant::now() < deadline {
        status = child.try_wait().expect("it can be waited for");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let _ = child.kill();
    let mut said = String::new();
    let mut errors = child.stderr.take().expect("it is piped");
    errors.read_to_string(&mut said).expect("UTF-8");
    let _ = child.wait();
    let status =
        status.unwrap_or_else(|| panic!("it started with {:?}: {said}", command.get_envs()));
    assert!(!status.success(), "{said}");
    said
}

impl Program {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program under test runs");
        let errors = BufReader::new(child.stderr.take().expect("it is piped"));
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        let reader = std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                heard
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(line);
            }
        });
        let mut program = Self {
            child,
            said,
            reader: Some(reader),
            public: SocketAddr::from(([0, 0, 0, 0], 0)),
            admin: SocketAddr::from(([0, 0, 0, 0], 0)),
        };
        eventually("it says where it serves", || {
            let lines = program.lines();
            let address = |after: &str| -> Option<SocketAddr> {
                let (_, rest) = lines.iter().find_map(|line| line.split_once(after))?;
                let end = rest.find(|c: char| !c.is_ascii_digit() && !".:".contains(c))?;
                rest[..end].parse().ok()
            };
            let (Some(public), Some(admin)) =
                (address("serving http://"), address("(admin: http://"))
            else {
                return false;
            };
            (program.public, program.admin) = (public, admin);
            true
        });
        program
    }

    /// What it has said on standard error so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.said
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid().try_into().expect("process ids are i32"));
        kill(pid, signal).expect("it runs");
    }

    /// Waits for its end, and gives everything that it has said.
    pub(crate) fn wait(mut self) -> (ExitStatus, Vec<String>) {
        let mut status = None;
        eventually("it ends", || {
            status = self.child.try_wait().expect("it can be waited for");
            status.is_some()
        });
        if let Some(reader) = self.reader.take() {
            reader.join().expect("it only reads");
        }
        (status.expect("it has ended"), self.lines())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

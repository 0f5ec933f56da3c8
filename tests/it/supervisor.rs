//! Stacks as child processes, and the process tools of the tests.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use postgres::{Client, NoTls};
use warrior_api::config::Database;
pub(crate) use warrior_stack::proc::is_alive;
use warrior_stack::{ChildStack, ChildStackError, Endpoints};

/// The program under test.
pub(crate) const WARRIOR_API: &str = env!("CARGO_BIN_EXE_warrior-api");

/// A stack of this test's own. Dropping it stops it.
pub(crate) struct Supervisor(ChildStack);

impl Deref for Supervisor {
    type Target = ChildStack;

    fn deref(&self) -> &ChildStack {
        &self.0
    }
}

/// The stack that all tests of this process share. Do not stop or break it.
pub(crate) fn shared() -> &'static Endpoints {
    static SHARED: OnceLock<Supervisor> = OnceLock::new();
    &SHARED.get_or_init(Supervisor::throw_away).endpoints
}

impl Supervisor {
    pub(crate) fn throw_away() -> Self {
        Self::start(stack().arg("--ephemeral")).expect("a throw-away stack starts")
    }

    /// Runs a command that [`stack`] made; the error is its standard error before it gave up.
    pub(crate) fn start(command: &mut Command) -> Result<Self, String> {
        keep_zombies();
        match ChildStack::start(command) {
            Ok(stack) => Ok(Self(stack)),
            Err(ChildStackError::GaveUp { status, said }) => {
                assert!(!status.success(), "it gave up without an error: {said}");
                Err(said)
            }
            Err(e) => panic!("{e}"),
        }
    }

    /// Sends `stop postgres`, `start postgres`, `stop pooler` or `start pooler` and waits for it.
    pub(crate) fn command(&mut self, command: &str) {
        let done = self.0.command(command);
        done.unwrap_or_else(|e| panic!("{command}: {e}"));
    }

    /// Sends a command without waiting for its answer.
    pub(crate) fn send(&mut self, command: &str) {
        self.0.send(command).expect("the supervisor listens");
    }

    /// Ends its input and waits for it.
    pub(crate) fn stop(self) -> ExitStatus {
        self.0.stop().expect("it can be waited for")
    }

    /// Waits for an end that came from elsewhere.
    pub(crate) fn wait(self) -> ExitStatus {
        self.0.wait().expect("it can be waited for")
    }
}

/// Makes this process a subreaper that reaps no orphan, as process 1 of many containers is.
pub(crate) fn keep_zombies() {
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_child_subreaper(true).expect("Linux knows subreapers");
}

/// The command that starts a stack, on free ports and without this process's settings.
pub(crate) fn stack() -> Command {
    let mut command = Command::new(WARRIOR_API);
    command
        .env_clear()
        .env("POSTGRES_PORT", "0")
        .env("POSTGRES_DIRECT_PORT", "0")
        // Without a .env.
        .current_dir("/")
        .arg("stack");
    command
}

/// A folder that is removed with everything in it.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        let name = format!("warrior-it-{}", uuid::Uuid::new_v4().simple());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).expect("the folder for temporary files is writable");
        Self(path.canonicalize().expect("it was just made"))
    }

    pub(crate) fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A connection without TLS.
pub(crate) fn connect(database: &Database) -> Result<Client, postgres::Error> {
    let password = database
        .password
        .as_ref()
        .expect("every role of the stack has one");
    connect_with(
        database,
        password.read().expect("its file is readable").expose(),
    )
}

/// A connection with another password than the right one.
pub(crate) fn connect_with(database: &Database, password: &str) -> Result<Client, postgres::Error> {
    postgres::Config::new()
        .host(&database.host)
        .port(database.port)
        .dbname(&database.dbname)
        .user(&database.user)
        .password(password)
        .connect_timeout(database.connect_timeout)
        .connect(NoTls)
}

pub(crate) fn kill_9(pid: u32) {
    let pid = Pid::from_raw(i32::try_from(pid).expect("process ids are positive i32"));
    kill(pid, Signal::SIGKILL).expect("the process exists and is ours");
}

/// Polls `condition` until it holds, for at most 60 s: a recovery of 5 s takes several times that on a busy machine.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "never came true: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

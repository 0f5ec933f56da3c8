//! Supervision by `warrior-api up`: whatever ends its children, they are restarted until a stop is asked for.

mod obstacles;
mod upgrade;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use warrior_stack::announcement::Announcement;
use warrior_stack::{find_running, layout};

use crate::api::warrior;
use crate::http::request;
use crate::program::refusal;
use crate::supervisor::{
    Scratch, Supervisor, WARRIOR_API, eventually, is_alive, keep_zombies, kill_9, stack,
};

/// A running `warrior-api up` with its data in a folder of its own. Dropping it stops it.
struct Up {
    child: Child,
    input: Option<ChildStdin>,
    said: Arc<Mutex<Vec<String>>>,
    announced: Announcement,
    /// Paths of all warriors whose creates were answered 201.
    stored: Mutex<Vec<String>>,
    scratch: Scratch,
}

impl Up {
    fn start() -> Self {
        Self::start_with(Scratch::new(), |_| {})
    }

    /// Starts a server with its data in `scratch`, by a command that `change` has changed.
    fn start_with(scratch: Scratch, change: impl FnOnce(&mut Command)) -> Self {
        let mut command = up(&scratch.join("data"));
        change(&mut command);
        keep_zombies();
        let mut child = command.spawn().expect("the program under test runs");
        let said = Arc::new(Mutex::new(Vec::new()));
        let (heard, errors) = (Arc::clone(&said), child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                heard.push(line);
            }
        });
        let mut line = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let announced: Announcement = serde_json::from_str(&line)
            .unwrap_or_else(|e| panic!("{e}: {line:?}, {:?}", said.lock().unwrap()));
        let running = find_running(&announced.running.data).expect("its folder says that it runs");
        assert_eq!(running.admin, Some(announced.admin));
        Self {
            input: child.stdin.take(),
            child,
            said,
            announced,
            stored: Mutex::new(Vec::new()),
            scratch,
        }
    }

    fn data(&self) -> &Path {
        &self.announced.running.data
    }

    fn postgres(&self) -> u32 {
        first_line(&layout::postmaster_pid(self.data()))
    }

    fn pooler(&self) -> u32 {
        first_line(&layout::pooler_pid(self.data()))
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap());
        kill(pid, signal).expect("it runs");
    }

    fn lines(&self) -> Vec<String> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.clone()
    }

    /// Does something, and waits for a line after it that holds all of `facts`.
    fn await_line(&self, facts: &[&str], act: impl FnOnce()) {
        let before = self.lines().len();
        act();
        self.eventually(&format!("a line with {facts:?}"), || {
            self.lines()[before..]
                .iter()
                .any(|line| facts.iter().all(|fact| line.contains(fact)))
        });
    }

    /// As the other one; a failure shows the output of the server.
    fn eventually(&self, what: &str, mut condition: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !condition() {
            let lines = self.lines().join("\n");
            assert!(
                Instant::now() < deadline,
                "never came true: {what}\n{lines}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// One create, whose path is kept when it was stored.
    fn create(&self) -> u16 {
        let body = warrior("n").to_string();
        let answer = request(
            self.announced.http,
            "POST",
            "/warrior",
            &[],
            body.as_bytes(),
        );
        if answer.status == 201 {
            self.stored
                .lock()
                .unwrap()
                .push(answer.location().to_owned());
        }
        answer.status
    }

    /// Waits until creates are taken, and looks for everything that was ever acknowledged.
    fn serves(&self) {
        self.eventually("creates are taken", || self.create() == 201);
        for path in self.stored.lock().unwrap().iter() {
            self.eventually("finds are answered", || {
                let status = request(self.announced.http, "GET", path, &[], b"").status;
                assert_ne!(status, 404, "{path} was acknowledged and is lost");
                status == 200
            });
        }
    }

    fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("it ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    fn stop(mut self) {
        let children = [self.postgres(), self.pooler()];
        drop(self.input.take());
        assert!(self.wait().success(), "{:?}", self.lines());
        assert!(!children.into_iter().any(is_alive), "{:?}", self.lines());
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// The command that starts a server, on free ports and without this process's settings.
fn up(data: &Path) -> Command {
    let mut command = Command::new(WARRIOR_API);
    command
        .env_clear()
        .envs([("PORT", "0"), ("ADMIN_PORT", "0")])
        .envs([("POSTGRES_PORT", "0"), ("POSTGRES_DIRECT_PORT", "0")])
        .envs([("WORKERS", "3"), ("DB_POOL_MIN", "0")])
        .env("DRAIN_DELAY_MS", "0")
        // Without a .env.
        .current_dir("/")
        .args(["up", "--until-stdin-ends", "--data"])
        .arg(data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A process id.
fn first_line(path: &Path) -> u32 {
    let mut pid = None;
    eventually("the file holds a process id", || {
        let text = fs::read_to_string(path).unwrap_or_default();
        pid = text.lines().next().and_then(|line| line.parse().ok());
        pid.is_some()
    });
    pid.unwrap()
}

/// The program that a process was started with; the link in /proc may be unreadable for root in a container.
fn program_of(pid: u32) -> PathBuf {
    let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).expect("Linux tells");
    PathBuf::from(line.split('\0').next().unwrap())
}

#[test]
fn children_that_are_killed_again_and_again_run_again() {
    let up = Up::start();
    for _ in 0..3 {
        let pooler = up.pooler();
        kill_9(pooler);
        up.eventually("PgBouncer is another", || up.pooler() != pooler);
        up.serves();
        let postgres = up.postgres();
        kill_9(postgres);
        up.eventually("PostgreSQL is another", || up.postgres() != postgres);
        up.serves();
    }
    up.stop();
}

#[test]
fn data_that_vanishes_ends_it_with_a_sentence() {
    let mut up = Up::start();
    up.serves();
    let children = [up.postgres(), up.pooler()];
    let data = up.data().to_owned();
    let elsewhere = up.scratch.join("elsewhere");
    fs::rename(&data, &elsewhere).unwrap();
    // The units' supervisor does not start it again then.
    assert_eq!(up.wait().code(), Some(4));
    let facts = [data.to_str().unwrap(), "is gone", "DATA_DIR"];
    up.eventually("the last line says why", || {
        let last = up.lines().pop().unwrap_or_default();
        facts.iter().all(|fact| last.contains(fact))
    });
    assert!(!children.into_iter().any(is_alive));
    // Where the rest of the folder is there, a start finds out by itself.
    fs::rename(layout::cluster(&elsewhere), up.scratch.join("pg")).unwrap();
    let said = refusal(stack().arg("--data").arg(&elsewhere));
    assert!(
        said.contains("is gone") && said.contains("DATA_DIR"),
        "{said}"
    );
    assert!(!layout::cluster(&elsewhere).exists());
}

#[test]
fn a_second_signal_ends_it_at_once_and_the_next_run_clears_up() {
    let mut up = Up::start_with(Scratch::new(), |command| {
        command.env("DRAIN_DELAY_MS", "600000");
    });
    let children = [up.postgres(), up.pooler()];
    up.await_line(&["stopping"], || up.signal(Signal::SIGINT));
    up.signal(Signal::SIGINT);
    assert_eq!(up.wait().code(), Some(130));
    assert!(children.into_iter().all(is_alive));
    let next = Supervisor::start(stack().arg("--data").arg(up.data())).unwrap();
    assert!(!children.into_iter().any(is_alive));
    assert!(next.stop().success());
}

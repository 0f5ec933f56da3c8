//! A folder of its own for each test, the program run in it, and the profiles that several tests use.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_warrior-load");

pub(crate) const CREATES: &str = "name = 'creates'\nthresholds = ['success == 100%', 'lost == 0']\n\
                       [[scenario]]\nname = 'create'\nrequest = 'create'\n\
                       arrivals = [{ rate = 100, for = '2s' }]\n\
                       follow = { name = 'find', after_min = '1ms', after_max = '30ms' }\n";

/// Without a threshold on success, so that the ledger alone decides.
pub(crate) const CREATES_ALONE: &str = "name = 'creates'\nthresholds = ['lost == 0']\n\
                             [[scenario]]\nname = 'create'\nrequest = 'create'\n\
                             arrivals = [{ rate = 100, for = '1s' }]\n";

/// The server of the same build.
pub(crate) fn server() -> PathBuf {
    let server = Path::new(PROGRAM).with_file_name("warrior-api");
    assert!(
        server.exists(),
        "{} is missing; `cargo build` makes it (`cargo test --workspace` does, too)",
        server.display()
    );
    server
}

/// A directory that is removed at the end of the test.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new() -> Scratch {
        let path = std::env::temp_dir().join(format!("warrior-load-test-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&path).expect("a fresh directory");
        Scratch(path)
    }

    pub(crate) fn profile(&self, text: &str) -> String {
        let path = self.0.join("profile.toml");
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    }

    pub(crate) fn file(&self, extension: &str) -> PathBuf {
        let mut found = std::fs::read_dir(&self.0)
            .expect("ours")
            .flatten()
            .map(|entry| entry.path());
        found
            .find(|path| path.extension().is_some_and(|ext| ext == extension))
            .expect(extension)
    }

    /// Checks that what is here is whole: pages end, JSON is JSON, and nothing was left aside.
    pub(crate) fn assert_whole(&self) {
        for path in std::fs::read_dir(&self.0).expect("ours").flatten() {
            let path = path.path();
            let text = std::fs::read_to_string(&path).expect("text");
            let whole = match path.extension().and_then(|end| end.to_str()) {
                Some("json") => serde_json::from_str::<serde_json::Value>(&text).is_ok(),
                Some("html") => text.trim_end().ends_with("</html>"),
                Some("md") => text.ends_with('\n'),
                Some("ledger" | "toml") => true,
                _ => false,
            };
            assert!(whole, "{} is left: {text:?}", path.display());
        }
    }

    /// Runs the program with its results here. The tests share a machine with each other and
    /// with whatever else runs: how late the generator is shall not decide them.
    pub(crate) fn load(&self, arguments: &[&str]) -> (i32, String) {
        self.run(&mut Command::new(PROGRAM), arguments)
    }

    /// The same where no file grows beyond so many blocks, as on a disk that is full.
    pub(crate) fn load_on_a_full_disk(&self, blocks: u32, arguments: &[&str]) -> (i32, String) {
        let limit = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        self.run(Command::new("sh").args(["-c", &limit, PROGRAM]), arguments)
    }

    /// The same with so many descriptors at the most.
    pub(crate) fn load_with_descriptors(&self, most: u32, arguments: &[&str]) -> (i32, String) {
        let limit = format!("ulimit -n {most}; exec \"$0\" \"$@\"");
        self.run(Command::new("sh").args(["-c", &limit, PROGRAM]), arguments)
    }

    fn run(&self, program: &mut Command, arguments: &[&str]) -> (i32, String) {
        let out = self.0.display().to_string();
        let Output {
            status,
            stdout,
            stderr,
        } = program
            .args(arguments)
            .args(match arguments[0] {
                "verify" | "sweep-page" => vec![],
                "report" => vec!["--out", &out],
                _ => vec!["--out", &out, "--lateness-max", "60s"],
            })
            .env("NO_COLOR", "1")
            .output()
            .expect("the program runs");
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&stdout),
            String::from_utf8_lossy(&stderr)
        );
        (status.code().expect("it ended by itself"), text)
    }
}

/// Presses Ctrl-C once a line of a command's standard output is like that; its exit code, and all that it said.
pub(crate) fn interrupt_at(
    command: &mut Command,
    is_the_line: impl Fn(&str) -> bool,
) -> (i32, String) {
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it runs");
    let pid = Pid::from_raw(child.id() as i32);
    let mut said = String::new();
    for line in BufReader::new(child.stdout.take().expect("piped")).lines() {
        let line = line.expect("text");
        if is_the_line(&line) {
            kill(pid, Signal::SIGINT).expect("it runs");
        }
        said += &line;
        said.push('\n');
    }
    let status = child.wait().expect("ours");
    (status.code().expect("it ended by itself"), said)
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

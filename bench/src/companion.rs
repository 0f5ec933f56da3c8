//! A companion: a server that a bench starts beside the stack, and that lives as long as the bench holds it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use warrior_load::target::Target;

/// A server that runs while this value lives.
#[derive(Debug)]
pub(crate) struct Companion {
    child: Child,
    /// Where it listens.
    pub(crate) target: Target,
}

impl Companion {
    /// Starts a program that prints its address, and that ends when its standard input does, so also when the bench is
    /// killed.
    ///
    /// # Errors
    /// When it cannot be started, or ends before it listens.
    pub(crate) fn start(mut command: Command) -> anyhow::Result<Companion> {
        let program = command.get_program().display().to_string();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let target = Target::parse(&format!("http://{}", line.trim()));
        if target.is_err() {
            child.kill().ok();
            child.wait().ok();
        }
        let target = target.with_context(|| {
            format!("{program} did not say where it listens; its own output above says why")
        })?;
        Ok(Companion { child, target })
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> i32 {
        self.child.id() as i32
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

//! The parent's side of the protocol: `warrior-api stack` as a child process that is commanded. `child` is the other
//! side.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use crate::endpoints::Endpoints;
use crate::protocol::announcement::Reply;
use crate::threads;

/// A stack that runs as a child. Dropping it stops it.
#[derive(Debug)]
pub struct ChildStack {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// The endpoints as of the last command.
    pub endpoints: Endpoints,
}

/// Why there is no stack.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChildStackError {
    /// The program did not run, or spoke another protocol.
    #[error("the stack cannot be started: {0}")]
    Io(#[from] io::Error),
    /// The program gave up, with what it printed on standard error.
    #[error("{said}")]
    GaveUp {
        /// How it ended.
        status: ExitStatus,
        /// Its standard error.
        said: String,
    },
}

impl ChildStack {
    /// Runs `command`, a `warrior-api stack`, and waits until everything listens.
    ///
    /// # Errors
    /// When the program does not run or gives up, or the system refuses a thread.
    pub fn start(command: &mut Command) -> Result<Self, ChildStackError> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C ends the parent first; the stack ends with the parent's end of the pipe.
            .process_group(0)
            .spawn()?;
        let (input, output, errors) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(output), Some(mut errors)) = (output, errors) else {
            return Err(io::Error::other("its output is no pipe").into());
        };
        let mut output = BufReader::new(output);
        let Some(reply) = read(&mut output)? else {
            let mut said = String::new();
            errors.read_to_string(&mut said)?;
            let status = child.wait()?;
            return Err(ChildStackError::GaveUp { status, said });
        };
        let stack = Self {
            child,
            input,
            output,
            endpoints: running(reply)?,
        };
        // Later lines on standard error must not fill the pipe, nor end the child with a broken one.
        threads::detach("stderr", move || {
            // The copy ends with the child, or with a pipe that no longer matters.
            let _ = io::copy(&mut errors, &mut io::sink());
        })?;
        Ok(stack)
    }

    /// The supervising process itself.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends `stop postgres`, `start postgres`, `stop pooler` or `start pooler` and waits for it.
    ///
    /// # Errors
    /// The stack's own sentence when the command failed.
    pub fn command(&mut self, command: &str) -> io::Result<()> {
        self.send(command)?;
        let reply = read(&mut self.output)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        self.endpoints = running(reply)?;
        Ok(())
    }

    /// Sends a command without waiting for its answer.
    ///
    /// # Errors
    /// When the stack has ended.
    pub fn send(&mut self, command: &str) -> io::Result<()> {
        let input = self.input.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        writeln!(input, "{command}")
    }

    /// Ends its input and waits for it.
    ///
    /// # Errors
    /// When the system refuses the wait.
    pub fn stop(mut self) -> io::Result<ExitStatus> {
        self.end()
    }

    /// Waits for an end that came from elsewhere.
    ///
    /// # Errors
    /// When the system refuses the wait.
    pub fn wait(mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }

    fn end(&mut self) -> io::Result<ExitStatus> {
        drop(self.input.take());
        self.child.wait()
    }
}

impl Drop for ChildStack {
    fn drop(&mut self) {
        // A child that cannot be waited for has been reaped elsewhere.
        let _ = self.end();
    }
}

fn running(reply: Reply) -> io::Result<Endpoints> {
    match reply {
        Reply::Running(endpoints) => Ok(endpoints),
        Reply::Error(e) => Err(io::Error::other(e)),
    }
}

fn read(output: &mut impl BufRead) -> io::Result<Option<Reply>> {
    let mut line = String::new();
    output.read_line(&mut line)?;
    match line.is_empty() {
        true => Ok(None),
        false => Ok(Some(serde_json::from_str(&line)?)),
    }
}

//! Shell commands of whoever uses the tool, bounded in time.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// How long a command may take where nothing else is said.
pub const COMMAND_TIMEOUT: Duration = Duration::from_secs(300);
/// How long a command that is asked to end may take for it.
const END_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a command is asked whether it has ended.
const POLL: Duration = Duration::from_millis(20);

/// Runs a command to its end, or ends it and all that it has started.
///
/// # Errors
/// When it fails, or takes longer than `timeout`.
pub(crate) fn run_shell(command: &str, timeout: Duration) -> anyhow::Result<()> {
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        // Standard output may belong to a document.
        .stdout(std::io::stderr())
        // Its own group is what ends with it; the first Ctrl-C lets it come to its end.
        .process_group(0)
        .spawn()
        .context("cannot start sh")?;
    if let Some(status) = wait(&mut child, timeout)? {
        ensure!(status.success(), "`{command}` ended with {status}");
        return Ok(());
    }
    let group = Pid::from_raw(i32::try_from(child.id())?);
    killpg(group, Signal::SIGTERM).ok();
    wait(&mut child, END_TIMEOUT)?;
    // What ignores the first signal may have outlived the shell.
    killpg(group, Signal::SIGKILL).ok();
    child.wait()?;
    bail!(
        "`{command}` did not end within {}, and was killed with all that it had started",
        humantime::format_duration(timeout)
    )
}

/// Waits until a command has ended; none when it has not in time.
fn wait(child: &mut Child, timeout: Duration) -> anyhow::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + timeout;
    loop {
        let ended = child.try_wait()?;
        if ended.is_some() || Instant::now() >= deadline {
            return Ok(ended);
        }
        std::thread::sleep(POLL);
    }
}

#[cfg(test)]
mod tests {
    use warrior_stack::proc::is_alive;

    use super::*;

    #[test]
    fn a_command_that_hangs_ends_with_all_that_it_has_started() {
        let name = format!("warrior-load-shell-{}", uuid::Uuid::new_v4());
        let file = std::env::temp_dir().join(name);
        // A child of the shell that ignores the first signal would outlive it.
        let command = format!(
            "sh -c \"trap '' TERM; echo \\$\\$ > {}; exec sleep 600\" & wait",
            file.display()
        );
        // Long enough for a busy machine to start it.
        let error = run_shell(&command, Duration::from_secs(10)).expect_err("it hangs");
        assert!(
            error.to_string().contains("did not end within 10s"),
            "{error}"
        );
        let pid = std::fs::read_to_string(&file).expect("it was started");
        std::fs::remove_file(&file).expect("ours");
        let pid = pid.trim().parse().expect("its id");
        // On a busy machine a process that was killed has still to be scheduled to end; nobody may wait for it then.
        let deadline = Instant::now() + Duration::from_secs(60);
        while is_alive(pid) {
            assert!(Instant::now() < deadline, "process {pid} goes on");
            std::thread::sleep(POLL);
        }
    }

    #[test]
    fn a_command_that_fails_is_an_error_that_says_how() {
        let error = run_shell("exit 3", COMMAND_TIMEOUT).expect_err("it fails");
        let said = error.to_string();
        assert!(
            said.contains("`exit 3`") && said.contains("exit status: 3"),
            "{said}"
        );
        run_shell("true", COMMAND_TIMEOUT).expect("it ends well");
    }
}

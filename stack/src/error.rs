//! Errors of the stack, each one sentence with the next command to type.

use std::io;
use std::path::PathBuf;

use crate::secret::SecretError;
use crate::version::Version;

/// The system's text in the log of a program whose port is taken; neither program translates it there.
const PORT_TAKEN: &str = "Address already in use";

/// Why the embedded stack could not be started or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StackError {
    /// PostgreSQL or PgBouncer is not installed.
    #[error("{program} was not found {searched}; install it with `{install}`, then run this again")]
    MissingProgram {
        /// Its name.
        program: &'static str,
        /// Where it was looked for.
        searched: String,
        /// The command that installs it.
        install: String,
    },
    /// The installed version is too old, or too new to have been tested.
    #[error(
        "{program} {found} at {path} is not supported ({supported}); install another with \
         `{install}`, then run this again"
    )]
    UnsupportedVersion {
        /// Its name.
        program: &'static str,
        /// The version found.
        found: Version,
        /// Where it was found.
        path: PathBuf,
        /// The versions that would do.
        supported: String,
        /// The command that installs one.
        install: String,
    },
    /// A program does not run, or prints no version.
    #[error("{path} does not run: {reason}; reinstall it, or name another with {variable}")]
    BrokenProgram {
        /// Where it was found.
        path: PathBuf,
        /// The cause.
        reason: String,
        /// The variable that names another.
        variable: &'static str,
    },
    /// The cluster was made by a major version that is not installed.
    #[error(
        "{path} holds the data of PostgreSQL {data}, which is not installed ({installed} is); \
         install it with `{install}`, or choose another folder with DATA_DIR"
    )]
    OtherMajor {
        /// The cluster.
        path: PathBuf,
        /// Its major version.
        data: String,
        /// The installed versions.
        installed: String,
        /// The command that installs the right one.
        install: String,
    },
    /// Another program listens on the port.
    #[error(
        "port {port} on 127.0.0.1 is in use; see by whom with `{look}`, or choose another with \
         {variable}"
    )]
    PortTaken {
        /// The variable that sets the port.
        variable: &'static str,
        /// The port.
        port: u16,
        /// The command that shows the listener.
        look: String,
    },
    /// Another run of this program uses the folder.
    #[error(
        "{path} is already in use by process {holder}; stop that one with `kill {holder}`, or \
         choose another folder with DATA_DIR"
    )]
    Locked {
        /// The data folder.
        path: PathBuf,
        /// The process id that the lock file names.
        holder: String,
    },
    /// The folder belongs to another user.
    #[error(
        "{path} belongs to {owner}, not to {user}; run this as {owner}, or choose another folder \
         with DATA_DIR"
    )]
    ForeignFolder {
        /// The data folder.
        path: PathBuf,
        /// Its owner.
        owner: String,
        /// The user of this process.
        user: String,
    },
    /// The folder holds something that this program did not make.
    #[error(
        "{path} is not empty and holds no data of this program; choose an empty or a new folder \
         with DATA_DIR"
    )]
    OccupiedFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The path is longer than the programs can handle.
    #[error("{path} is {length} bytes long, more than {most}; choose a shorter one with DATA_DIR")]
    PathTooLong {
        /// The data folder.
        path: PathBuf,
        /// Its length.
        length: usize,
        /// The longest that works.
        most: usize,
    },
    /// The path holds characters that configuration files cannot express.
    #[error("{path:?} is not plain UTF-8 text on one line; choose another folder with DATA_DIR")]
    OddPath {
        /// The data folder.
        path: PathBuf,
    },
    /// A file or folder could not be read or written.
    #[error("cannot {action} {path}: {source}; {next}")]
    Folder {
        /// The action that failed.
        action: &'static str,
        /// Its object.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
        /// The next step.
        next: &'static str,
    },
    /// No unprivileged user to run as.
    #[error(
        "PostgreSQL refuses to run as root, and this machine has neither a user postgres nor a \
         user nobody; run this as an ordinary user"
    )]
    NoUnprivilegedUser,
    /// The system did not let root be left.
    #[error("cannot become the user {user}: {source}; run this as an ordinary user")]
    LeaveRoot {
        /// The user to become.
        user: String,
        /// The error of the system.
        source: nix::Error,
    },
    /// A program ended, or was not ready in time.
    #[error("{program} did not start: {reason}; its log is {log}{tail}")]
    DidNotStart {
        /// Its name.
        program: &'static str,
        /// The cause.
        reason: String,
        /// Its log file.
        log: PathBuf,
        /// The last lines of it, each on a line of its own.
        tail: String,
    },
    /// A stop was asked for during a start; what had been started was stopped again.
    #[error("the start was given up, because a stop was asked for")]
    Interrupted,
    /// The input by which a parent process commands a stack ended during the start, as that of `nohup` does at once.
    #[error(
        "standard input has ended, which stops this command: another program has to hold it open; for a stack of \
         your own, run: warrior-api up"
    )]
    NoInput,
    /// The system refuses signal handlers.
    #[error(
        "signals cannot be handled: {0}; allow this process more descriptors (`ulimit -n`), then run this again"
    )]
    NoSignals(#[source] io::Error),
    /// The system refuses a thread.
    #[error(
        "the system refuses a thread: {0}; allow this user more processes (`ulimit -u`), then run this again"
    )]
    NoThread(#[source] io::Error),
    /// Another program runs the cluster on another port.
    #[error(
        "the cluster in {path} is run by another program (process {pid}) on another port than \
         {port}; stop it with `kill -INT {pid}`"
    )]
    RunElsewhere {
        /// The cluster.
        path: PathBuf,
        /// The other postmaster.
        pid: u32,
        /// The port it should listen on.
        port: u16,
    },
    /// The cluster was removed or moved while it ran.
    #[error(
        "{path} is gone, and with it what PostgreSQL had stored; put the folder back, or choose \
         another one with DATA_DIR, then run this again"
    )]
    Vanished {
        /// The cluster.
        path: PathBuf,
    },
    /// initdb failed.
    #[error("initdb could not make a cluster in {path}: {output}")]
    Initdb {
        /// The cluster.
        path: PathBuf,
        /// Its output.
        output: String,
    },
    /// A process had to be killed.
    #[error(
        "{program} (process {pid}) did not stop when asked and was killed; the next start recovers"
    )]
    Killed {
        /// Its name.
        program: &'static str,
        /// Its process id.
        pid: u32,
    },
    /// A process of an earlier run cannot be stopped.
    #[error("process {pid} of an earlier run does not end; end it with `kill -9 {pid}`")]
    Immortal {
        /// Its process id.
        pid: u32,
    },
    /// PostgreSQL or PgBouncer refused what the start needs.
    #[error("{action}: {reason}")]
    Sql {
        /// The action that failed.
        action: &'static str,
        /// The message of the server, in its own words.
        reason: String,
        /// The same, for programs.
        source: postgres::Error,
    },
    /// PgBouncer answered, but the way through it to PostgreSQL does not work.
    #[error("no query gets through PgBouncer to PostgreSQL: {reason}; see {log}")]
    NoWayThrough {
        /// The symptom.
        reason: String,
        /// PgBouncer's log.
        log: PathBuf,
    },
    /// A generated secret cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl StackError {
    /// Whether a program met another one on its port, which may have left it since.
    pub(crate) fn met_taken_port(&self) -> bool {
        matches!(self, Self::DidNotStart { tail, .. } if tail.contains(PORT_TAKEN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_was_taken_is_told_from_other_obstacles() {
        let ended = |tail: &str| StackError::DidNotStart {
            program: "PgBouncer",
            reason: "it ended".to_owned(),
            log: PathBuf::from("pgbouncer.log"),
            tail: tail.to_owned(),
        };
        let taken =
            "\n    WARNING cannot listen on 127.0.0.1:21264: bind(): Address already in use";
        assert!(ended(taken).met_taken_port());
        assert!(!ended("\n    FATAL cannot read the configuration").met_taken_port());
        assert!(!StackError::Interrupted.met_taken_port());
    }
}

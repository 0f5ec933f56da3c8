//! Discovery of a stack that another process runs: its ports and process ids, from the files in its data folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::endpoints::Logins;
use crate::proc::is_alive;
use crate::root::data_of_root;
use crate::{layout, shipped};

/// A stack that runs.
#[derive(Clone, Debug)]
pub struct Running {
    /// How to log in to it.
    pub logins: Logins,
    /// PgBouncer's process; none where it has ended.
    pub pooler: Option<u32>,
}

/// Why there is no stack to be asked.
#[derive(Debug, thiserror::Error)]
pub enum NotRunning {
    /// No stack was ever started in the folder.
    #[error("{} holds no stack; start one with: warrior-api up --data {}", .0.display(), .0.display())]
    NoStack(PathBuf),
    /// It was stopped, or killed.
    #[error("the stack in {} does not run; start it with: warrior-api up --data {}", .0.display(), .0.display())]
    Stopped(PathBuf),
    /// Its files are closed to this user, or damaged.
    #[error(
        "{path} cannot be read: {source}; run the command as the user that runs the stack, or as root"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

/// Whether `data` looks like the data folder of a stack, or root's stack of that name lies elsewhere.
pub fn is_stack(data: &Path) -> bool {
    layout::cluster(&data_of_root(data)).is_dir()
}

/// Finds the stack that runs in `data`.
///
/// # Errors
/// When there is none, or its files cannot be read.
pub fn find(data: &Path) -> Result<Running, NotRunning> {
    let data = fs::canonicalize(data_of_root(data)).unwrap_or_else(|_| data.to_owned());
    if let Err(source) = fs::metadata(layout::cluster(&data)) {
        return Err(match source.kind() {
            io::ErrorKind::NotFound => NotRunning::NoStack(data),
            _ => unreadable(layout::cluster(&data), source),
        });
    }
    // The process id, the folder, the start and the port, a line each.
    let state = read(layout::postmaster_pid(&data))?.unwrap_or_default();
    let line = |number| state.lines().nth(number).map(str::trim);
    let pid = line(0).and_then(|pid| pid.parse().ok());
    let (Some(true), Some(postgres_port)) =
        (pid.map(is_alive), line(3).and_then(|p| p.parse().ok()))
    else {
        return Err(NotRunning::Stopped(data));
    };
    let ini = read(layout::pooler_ini(&data))?.unwrap_or_default();
    let port = shipped::setting(&ini, "listen_port").and_then(|port| port.parse().ok());
    let Some(pooler_port) = port else {
        return Err(NotRunning::Stopped(data));
    };
    let pooler = read(layout::pooler_pid(&data))?.and_then(|text| text.trim().parse().ok());
    Ok(Running {
        pooler: pooler.filter(|pid| is_alive(*pid)),
        logins: Logins {
            data,
            postgres_port,
            pooler_port,
        },
    })
}

impl Running {
    /// The folder, its secrets, and the user list that PgBouncer reads: closed to everybody but the user of the stack.
    pub fn private_paths(&self) -> Vec<PathBuf> {
        let data = &self.logins.data;
        let secrets = layout::SECRETS
            .iter()
            .map(|name| layout::secret(data, name));
        [data.clone(), layout::secrets(data), layout::user_list(data)]
            .into_iter()
            .chain(secrets)
            .collect()
    }
}

/// None where there is no such file.
fn read(path: PathBuf) -> Result<Option<String>, NotRunning> {
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(unreadable(path, source)),
    }
}

fn unreadable(path: PathBuf, source: io::Error) -> NotRunning {
    NotRunning::Unreadable { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_stack_and_one_that_was_stopped_say_what_to_start() {
        let data = std::env::temp_dir().join(format!("warrior-running-{}", std::process::id()));
        let told = |data: &Path| find(data).expect_err("nothing runs there").to_string();
        assert!(told(&data).contains("holds no stack"), "{}", told(&data));
        fs::create_dir_all(layout::cluster(&data)).expect("it can be made");
        assert!(is_stack(&data));
        assert!(told(&data).contains("does not run"), "{}", told(&data));
        // The id of a process that has ended.
        let ended = "2147483646\n/data\n0\n6433\n";
        fs::write(layout::postmaster_pid(&data), ended).expect("it can be written");
        assert!(told(&data).contains("up --data"), "{}", told(&data));
        fs::remove_dir_all(&data).expect("it is ours");
    }
}

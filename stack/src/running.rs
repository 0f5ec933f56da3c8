//! Discovery of a stack that another process runs: its ports and process ids, from the files in its data folder.

use std::fs;
use std::io;
use std::net::SocketAddr;
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
    /// The admin listener of the server that runs with it; none where no such server runs.
    pub admin: Option<SocketAddr>,
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

/// Writes down where the server of this process, which runs with the stack in `data`, has its admin listener.
///
/// # Errors
/// When the file cannot be written.
pub fn announce_admin(data: &Path, admin: SocketAddr) -> io::Result<()> {
    fs::write(
        layout::admin(data),
        format!("{}\n{admin}\n", std::process::id()),
    )
}

/// The address that a process has announced which is alive.
fn announced(state: &str) -> Option<SocketAddr> {
    let (pid, address) = state.trim().split_once('\n')?;
    pid.parse().ok().filter(|pid| is_alive(*pid))?;
    address.parse().ok()
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
    let admin = read(layout::admin(&data))?.unwrap_or_default();
    Ok(Running {
        admin: announced(&admin),
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
    fn an_admin_listener_is_that_of_a_process_that_is_alive() {
        let own = std::process::id();
        let of = |text: String| announced(&text);
        assert_eq!(
            of(format!("{own}\n127.0.0.1:5002\n")),
            Some(SocketAddr::from(([127, 0, 0, 1], 5002)))
        );
        for none in ["", "2147483646\n127.0.0.1:5002\n", &format!("{own}\n")] {
            assert_eq!(of(none.to_owned()), None, "{none}");
        }
    }

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

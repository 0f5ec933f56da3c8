//! The commands of the server that a rehearsal runs, as one would type them.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use crate::control::Cluster;

/// The exit status of `duckdb check` when a row is missing or changed.
const CHECK_DIFFERS: i32 = 5;

/// Variables of the server that have no meaning with a DuckDB file.
const OF_POSTGRESQL: [&str; 15] = [
    "POSTGRES_HOST",
    "POSTGRES_PORT",
    "POSTGRES_DIRECT_HOST",
    "POSTGRES_DIRECT_PORT",
    "POSTGRES_DB",
    "POSTGRES_USER",
    "POSTGRES_PASSWORD",
    "POSTGRES_PASSWORD_FILE",
    "POSTGRES_OWNER",
    "POSTGRES_OWNER_PASSWORD",
    "POSTGRES_OWNER_PASSWORD_FILE",
    "POSTGRES_TLS",
    "POSTGRES_TLS_CA",
    "DB_POOL_MIN",
    "DB_POOL_MAX",
];

/// A child of the rehearsal that found rows missing or changed.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` found rows that differ; its output above names them")]
pub(super) struct RowsDiffer(String);

/// The flags, whose file of rejects is meant from here: the server runs elsewhere.
pub(super) fn absolute_rejects(flags: &[String]) -> anyhow::Result<Vec<String>> {
    let mut is_path = false;
    let absolute = |path: &str| -> anyhow::Result<String> {
        Ok(std::path::absolute(path)?.to_string_lossy().into_owned())
    };
    let flag = |flag: &String| {
        let path = std::mem::replace(&mut is_path, flag == "--rejects");
        match flag.strip_prefix("--rejects=") {
            _ if path => absolute(flag),
            Some(path) => Ok(format!("--rejects={}", absolute(path)?)),
            None => Ok(flag.clone()),
        }
    };
    flags.iter().map(flag).collect()
}

/// Runs a command of the server to its end; what it says goes to ours.
pub(super) fn finish(command: &mut Command) -> anyhow::Result<()> {
    let what = command
        .get_args()
        .map(|argument| argument.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ");
    let status = command
        .status()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    if status.code() == Some(CHECK_DIFFERS) {
        return Err(RowsDiffer(what).into());
    }
    if !status.success() {
        bail!("`{what}` ended with {status}; its output above says why");
    }
    Ok(())
}

/// The server on a file; what the environment says of a PostgreSQL is not for it.
pub(super) fn serve_locally(
    server: &Path,
    file: &Path,
    cluster: &Cluster,
) -> anyhow::Result<Command> {
    let mut command = Command::new(server);
    for variable in OF_POSTGRESQL {
        command.env_remove(variable);
    }
    command
        .env("DB_MODE", "local")
        .env("DUCKDB_FILE", file)
        // The one of the server on PostgreSQL, so that keys mean the same on both sides.
        .env_remove("IDEMPOTENCY_SECRET")
        .env(
            "IDEMPOTENCY_SECRET_FILE",
            cluster.idempotency_secret_file()?,
        )
        // Where there is no .env that would have a say.
        .current_dir("/");
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_rejects_is_meant_from_where_the_rehearsal_runs() {
        let flags = ["--rejects", "a b", "--rejects=c", "--table", "d"].map(str::to_owned);
        let here = std::env::current_dir().unwrap();
        let (first, second) = (here.join("a b"), here.join("c"));
        let expected = [
            "--rejects".to_owned(),
            first.display().to_string(),
            format!("--rejects={}", second.display()),
            "--table".to_owned(),
            "d".to_owned(),
        ];
        assert_eq!(absolute_rejects(&flags).unwrap(), expected);
    }
}

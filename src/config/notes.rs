//! Warnings about settings that are adjusted or have no effect, one sentence each. A flag without effect is an error:
//! who typed it waits for something. Variables may be there for another command.

use std::path::Path;

use super::cli::{Cli, Command, ServeArgs};
use super::database::{DatabaseArgs, TlsMode};
use super::doctor::DoctorArgs;
use super::embedded::EmbeddedArgs;
use super::environment::{ENV_FILE, SECRETS, in_file, is_given, typed, unread, variable};
use super::error::ConfigError;
use super::private::is_open_to_all;
use super::schema::{SchemaAction, SchemaArgs};
use super::sizes::{SizesArgs, Workers};

/// PostgreSQL's default port.
const POSTGRESQL_PORT: u16 = 5432;

/// Variables of `serve` and `schema` alone: the embedded stack makes its own logins.
const OF_OTHER_DATABASES: [&str; 13] = [
    "POSTGRES_HOST",
    "POSTGRES_DB",
    "POSTGRES_USER",
    "POSTGRES_PASSWORD",
    "POSTGRES_PASSWORD_FILE",
    "POSTGRES_TLS",
    "POSTGRES_OWNER_PASSWORD",
    "POSTGRES_OWNER_PASSWORD_FILE",
    "POSTGRES_MONITOR_USER",
    "POSTGRES_MONITOR_PASSWORD",
    "POSTGRES_MONITOR_PASSWORD_FILE",
    "IDEMPOTENCY_SECRET",
    "IDEMPOTENCY_SECRET_FILE",
];

/// Variables that a DuckDB file has no use for: PostgreSQL's, and the number of workers that create.
const NOT_OF_A_FILE: [&str; 21] = [
    "POSTGRES_HOST",
    "POSTGRES_PORT",
    "POSTGRES_DB",
    "POSTGRES_USER",
    "POSTGRES_PASSWORD",
    "POSTGRES_PASSWORD_FILE",
    "POSTGRES_DIRECT_HOST",
    "POSTGRES_DIRECT_PORT",
    "POSTGRES_TLS",
    "POSTGRES_TLS_CA",
    "POSTGRES_OWNER",
    "POSTGRES_OWNER_PASSWORD",
    "POSTGRES_OWNER_PASSWORD_FILE",
    "POSTGRES_MONITOR_USER",
    "POSTGRES_MONITOR_PASSWORD",
    "POSTGRES_MONITOR_PASSWORD_FILE",
    "POSTGRES_MONITOR_INTERVAL_MS",
    "DB_CONNECT_TIMEOUT_MS",
    "DB_POOL_MIN",
    "DB_POOL_MAX",
    "WORKERS_CREATE",
];

/// Variables that the stack of a data folder has no use for, since it knows its own.
const NOT_OF_A_STACK: [&str; 13] = [
    "POSTGRES_HOST",
    "POSTGRES_DB",
    "POSTGRES_USER",
    "POSTGRES_PASSWORD",
    "POSTGRES_PASSWORD_FILE",
    "POSTGRES_DIRECT_HOST",
    "POSTGRES_TLS",
    "POSTGRES_OWNER",
    "POSTGRES_OWNER_PASSWORD",
    "POSTGRES_OWNER_PASSWORD_FILE",
    "POSTGRES_MONITOR_USER",
    "POSTGRES_MONITOR_PASSWORD",
    "POSTGRES_MONITOR_PASSWORD_FILE",
];

/// Variables that a throw-away stack has no use for.
const NOT_OF_A_THROW_AWAY: [&str; 5] = [
    "DATA_DIR",
    "PORT",
    "ADMIN_PORT",
    "POSTGRES_PORT",
    "POSTGRES_DIRECT_PORT",
];

/// Variables of a login, which nobody needs who only prints.
const OF_A_LOGIN: [&str; 10] = [
    "POSTGRES_HOST",
    "POSTGRES_PORT",
    "POSTGRES_DB",
    "POSTGRES_USER",
    "POSTGRES_DIRECT_HOST",
    "POSTGRES_DIRECT_PORT",
    "POSTGRES_OWNER",
    "POSTGRES_TLS",
    "POSTGRES_TLS_CA",
    "DB_CONNECT_TIMEOUT_MS",
];

type Noted = Result<(), ConfigError>;

impl Cli {
    /// The sentences for this command.
    ///
    /// # Errors
    /// When a flag has no effect.
    pub fn notes(&self) -> Result<Vec<String>, ConfigError> {
        let mut notes = Vec::new();
        match &self.command {
            Command::Up(args) => {
                sizes(&mut notes, &args.sizes)?;
                embedded(&mut notes, &args.embedded, "up")?;
            }
            Command::Stack(args) => embedded(&mut notes, &args.embedded, "stack")?,
            Command::Serve(args) => serve(&mut notes, args)?,
            Command::Schema(args) if matches!(args.action, SchemaAction::Print { .. }) => {
                let why = "`schema print` needs no database";
                refuse_flags(&OF_A_LOGIN, why)?;
            }
            Command::Schema(args) => schema(&mut notes, args)?,
            #[cfg(feature = "duckdb")]
            Command::DuckDb(_) => secrets(&mut notes, &["POSTGRES_OWNER_PASSWORD"]),
            Command::Health(_) | Command::Completions(_) | Command::Manual(_) => {}
            Command::Doctor(args) => doctor(&mut notes, args)?,
        }
        Ok(notes)
    }
}

fn serve(notes: &mut Vec<String>, args: &ServeArgs) -> Noted {
    if args.is_local() {
        return local(notes, args);
    }
    sizes(notes, &args.sizes)?;
    tls(notes, &args.database)?;
    if args.monitor.is_absent() {
        let unused = [
            "POSTGRES_DIRECT_HOST",
            "POSTGRES_DIRECT_PORT",
            "POSTGRES_MONITOR_INTERVAL_MS",
        ];
        refuse_flags(
            &unused,
            "without POSTGRES_MONITOR_USER `serve` logs in where requests go, and nowhere else",
        )?;
    }
    let of_a_file = ["DUCKDB_LIBRARY", "DUCKDB_WAL_AUTOCHECKPOINT"];
    let why = "DB_MODE is postgresql, and no DuckDB file is served";
    refuse_flags(&of_a_file, why)?;
    note(notes, &["DUCKDB_FILE"], |_| {
        "DUCKDB_FILE has no effect while DB_MODE is postgresql; to serve the file, set DB_MODE=local"
            .to_owned()
    })?;
    secrets(
        notes,
        &[
            "POSTGRES_PASSWORD",
            "POSTGRES_MONITOR_PASSWORD",
            "IDEMPOTENCY_SECRET",
        ],
    );
    Ok(())
}

fn doctor(notes: &mut Vec<String>, args: &DoctorArgs) -> Noted {
    unread_names(notes);
    let Some(data) = args.data() else {
        return tls(notes, &args.database);
    };
    let why = "the stack of a data folder says on which ports it listens";
    refuse_flags(&["POSTGRES_PORT", "POSTGRES_DIRECT_PORT"], why)?;
    note(notes, &NOT_OF_A_STACK, |names| {
        format!(
            "the stack in {} has logins of its own; without effect: {names}",
            data.display()
        )
    })
}

fn local(notes: &mut Vec<String>, args: &ServeArgs) -> Noted {
    if let Ok(server) = args.server() {
        workers(notes, &args.sizes, server.sizes.workers())?;
    }
    unread_names(notes);
    note(notes, &NOT_OF_A_FILE, |names| {
        format!(
            "DB_MODE=local serves a DuckDB file, in which one worker creates; without effect: {names}"
        )
    })?;
    secrets(notes, &["IDEMPOTENCY_SECRET"]);
    if let Some(file) = &args.local.duckdb_file {
        notes.extend(open_to_all(file, "every warrior"));
    }
    Ok(())
}

fn schema(notes: &mut Vec<String>, args: &SchemaArgs) -> Noted {
    tls(notes, &args.database)?;
    if args.has_one_role() {
        notes.push(format!(
            "POSTGRES_OWNER is not set: role {} (POSTGRES_USER) owns the schema and serves requests",
            args.runtime_role()
        ));
        secrets(notes, &["POSTGRES_PASSWORD"]);
    } else {
        secrets(notes, &["POSTGRES_OWNER_PASSWORD"]);
    }
    Ok(())
}

fn sizes(notes: &mut Vec<String>, args: &SizesArgs) -> Noted {
    // A size out of range stops the start with a sentence of its own.
    let Ok(sizes) = args.resolve() else {
        return Ok(());
    };
    workers(notes, args, sizes.workers())?;
    if let Some(least) = args.db_pool_min.filter(|least| *least > sizes.pool()) {
        notes.push(format!(
            "DB_POOL_MIN is {least}, more than there ever are: {most} connections, one for each of {} workers, \
             one for the probe and one for the flusher; all {most} are kept open",
            sizes.workers(),
            most = sizes.pool()
        ));
    }
    unread_names(notes);
    Ok(())
}

fn workers(notes: &mut Vec<String>, args: &SizesArgs, number: usize) -> Noted {
    let each = [args.workers_create, args.workers_find, args.workers_search];
    if each.iter().all(Option::is_some) {
        refuse_flags(
            &["WORKERS", "GUNICORN_WORKERS"],
            "WORKERS_CREATE, WORKERS_FIND and WORKERS_SEARCH say all that there is to say of workers",
        )?;
    }
    match (args.workers, args.gunicorn_workers) {
        (_, None) => {}
        (Some(_), Some(_)) => {
            note(notes, &["GUNICORN_WORKERS"], |_| {
                "WORKERS and GUNICORN_WORKERS are both set: WORKERS counts".to_owned()
            })?;
        }
        (None, Some(workers)) => notes.push(format!(
            "GUNICORN_WORKERS is taken as WORKERS: {} worker threads in one process{}",
            number,
            match workers {
                Workers::Auto => ", 3 per core, 6 to 48",
                Workers::Total(_) => "",
            }
        )),
    }
    Ok(())
}

fn unread_names(notes: &mut Vec<String>) {
    let unread = unread();
    if !unread.is_empty() {
        notes.push(format!(
            "{ENV_FILE} sets what no command reads: {}; `warrior-api serve --help` lists what is",
            unread.join(", ")
        ));
    }
}

fn embedded(notes: &mut Vec<String>, args: &EmbeddedArgs, command: &str) -> Noted {
    if args.ephemeral {
        note(notes, &NOT_OF_A_THROW_AWAY, |names| {
            format!(
                "--ephemeral takes free ports and a folder of its own, and says which; without effect: {names}"
            )
        })?;
    } else if args.postgres_port == POSTGRESQL_PORT {
        notes.push(format!(
            "POSTGRES_PORT is where requests go, and with `{command}` that is PgBouncer: it listens on \
             {POSTGRESQL_PORT}, PostgreSQL itself on {} (POSTGRES_DIRECT_PORT)",
            args.postgres_direct_port
        ));
    }
    note(notes, &OF_OTHER_DATABASES, |names| {
        format!(
            "`{command}` starts a PostgreSQL of its own and makes its own passwords; without effect here, and \
             read by `serve`: {names}"
        )
    })
}

fn tls(notes: &mut Vec<String>, args: &DatabaseArgs) -> Noted {
    if args.postgres_tls == TlsMode::Off && args.postgres_tls_ca.is_some() {
        note(notes, &["POSTGRES_TLS_CA"], |_| {
            "POSTGRES_TLS_CA has no effect while POSTGRES_TLS is off; set it to verify-full"
                .to_owned()
        })?;
    }
    Ok(())
}

/// Adds what `say` says of those of `names` that are set and have no effect, if there are any.
fn note(notes: &mut Vec<String>, names: &[&str], say: impl Fn(&str) -> String) -> Noted {
    let flags: Vec<_> = names.iter().filter_map(|name| typed(name)).collect();
    if !flags.is_empty() {
        let (said, flags) = (say(&flags.join(", ")), flags.join(", "));
        return Err(ConfigError(format!("{said}; leave {flags} out")));
    }
    let set: Vec<_> = (names.iter().copied())
        .filter(|name| is_given(name))
        .collect();
    if !set.is_empty() {
        notes.push(say(&set.join(", ")));
    }
    Ok(())
}

/// Refuses those of `names` that are typed as flags. As variables they may be there for other commands.
fn refuse_flags(names: &[&str], why: &str) -> Noted {
    let flags: Vec<_> = names.iter().filter_map(|name| typed(name)).collect();
    match flags.as_slice() {
        [] => Ok(()),
        flags => Err(ConfigError(format!(
            "{why}; leave {} out, which has no effect",
            flags.join(", ")
        ))),
    }
}

/// Warnings about world-readable files of secrets. Group-readable files are fine: those of the containers are
/// open to the group of the containers.
fn secrets(notes: &mut Vec<String>, names: &[&str]) {
    for name in names {
        let file = format!("{name}_FILE");
        if let Ok(Some(path)) = variable(&file) {
            notes.extend(open_to_all(Path::new(&path), &file));
        }
    }
    if let Some(name) = SECRETS.iter().find(|name| in_file(name).is_some()) {
        notes.extend(open_to_all(Path::new(ENV_FILE), name));
    }
}

fn open_to_all(path: &Path, name: &str) -> Option<String> {
    is_open_to_all(path).then(|| {
        format!(
            "every user of this machine can read {path}, which {name} is in; close it: chmod o-rwx {path}",
            path = path.display()
        )
    })
}

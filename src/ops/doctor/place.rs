//! The place: how to log in to what is looked at, and how to type the commands that mend it.

use std::path::PathBuf;

use warrior_stack::{DATABASE, NotRunning, Running, find_running};

use crate::config::{ConfigError, Database, DoctorArgs, NamedLogins, SecretSource};
use crate::quoting::quoted;
use crate::store::CONSOLE;

/// What is looked at.
pub(super) struct Place {
    /// Where requests go.
    pub(super) serving: Database,
    /// Directly, as the owner of the schema, or as the role that serves where no owner is configured.
    pub(super) direct: Database,
    /// Directly, as the role that reads statistics.
    pub(super) monitor: Option<Database>,
    /// The pooler's console, should there be a pooler.
    pub(super) console: Database,
    /// The embedded stack.
    pub(super) stack: Option<Running>,
}

/// Why there is no place to look at.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoPlace {
    #[error(transparent)]
    Usage(#[from] ConfigError),
    #[error(transparent)]
    Stack(#[from] NotRunning),
}

impl Place {
    pub(super) fn find(args: &DoctorArgs) -> Result<Self, NoPlace> {
        match args.data() {
            Some(data) => Ok(Self::of_stack(find_running(data)?)),
            None => Ok(Self::named(args.logins()?)),
        }
    }

    fn of_stack(stack: Running) -> Self {
        let logins = &stack.logins;
        Self {
            serving: logins.runtime(DATABASE),
            direct: logins.owner(DATABASE),
            monitor: Some(logins.monitor(DATABASE)),
            console: logins.pooler_statistics(),
            stack: Some(stack),
        }
    }

    pub(super) fn named(logins: NamedLogins) -> Self {
        let NamedLogins {
            serving,
            direct,
            monitor,
        } = logins;
        let looks = monitor.as_ref().unwrap_or(&serving);
        Self {
            console: Database {
                dbname: CONSOLE.to_owned(),
                user: looks.user.clone(),
                password: looks.password.clone(),
                ..serving.clone()
            },
            serving,
            direct,
            monitor,
            stack: None,
        }
    }

    /// The place in a line for people.
    pub(super) fn described(&self) -> String {
        let Database {
            host, port, dbname, ..
        } = &self.serving;
        match &self.stack {
            Some(stack) => format!(
                "the stack in {}: PgBouncer on port {port}, PostgreSQL on port {}",
                stack.logins.data.display(),
                stack.logins.postgres_port
            ),
            None => format!("the database {dbname} at {host}:{port}"),
        }
    }

    /// The role that serves requests.
    pub(super) fn runtime(&self) -> &str {
        &self.serving.user
    }

    /// A command of this program, such as `schema apply`, as the owner of the schema.
    pub(super) fn ours(&self, command: &str) -> String {
        match (&self.stack, &self.direct.password) {
            (Some(_), Some(SecretSource::File(file))) => format!(
                "POSTGRES_OWNER_PASSWORD_FILE={} warrior-api {command} --postgres-direct-host {} --postgres-direct-port {}",
                quoted(&file.to_string_lossy()),
                self.direct.host,
                self.direct.port
            ),
            _ => format!("warrior-api {command}"),
        }
    }

    /// Statements of an administrator, each a transaction of its own, up to the first that fails.
    pub(super) fn administrator(&self, statements: &[&str]) -> String {
        let statements = statements.iter().map(|sql| format!(" -c {}", quoted(sql)));
        self.psql() + &statements.collect::<String>()
    }

    /// A command on the console of the embedded pooler; None where the pooler is somebody else's.
    pub(super) fn console(&self, command: &str) -> Option<String> {
        let stack = self.stack.as_ref()?;
        let password = stack.logins.data.join("secrets/pooler_admin.password");
        Some(format!(
            "PGPASSWORD=\"$(cat {})\" psql -h 127.0.0.1 -p {} -U pooler_admin {CONSOLE} -c {}",
            quoted(&password.to_string_lossy()),
            stack.logins.pooler_port,
            quoted(command)
        ))
    }

    /// A setting of the pooler, brought back or raised.
    pub(super) fn pooler_setting(&self, setting: &str) -> String {
        match self.console("reload") {
            // The file of the embedded pooler is right, since it is made at each start.
            Some(reload) => reload,
            None => format!("set {setting} in pgbouncer.ini, then run RELOAD on its console"),
        }
    }

    /// `chmod` of these paths.
    pub(super) fn close(&self, paths: &[PathBuf]) -> String {
        let paths = paths
            .iter()
            .map(|path| format!(" {}", quoted(&path.to_string_lossy())));
        format!("chmod go-rwx{}", paths.collect::<String>())
    }

    fn psql(&self) -> String {
        let Database {
            host, port, dbname, ..
        } = &self.direct;
        let login = format!(
            "psql -v ON_ERROR_STOP=1 -h {} -p {port} -U postgres -d {}",
            quoted(host),
            quoted(dbname)
        );
        match &self.stack {
            Some(stack) => {
                let password = stack.logins.data.join("secrets/superuser.password");
                format!(
                    "PGPASSWORD=\"$(cat {})\" {login}",
                    quoted(&password.to_string_lossy())
                )
            }
            None => login,
        }
    }
}

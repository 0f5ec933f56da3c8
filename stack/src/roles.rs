//! Provisioning: the database, its roles and their SCRAM secrets, and PgBouncer's user list.

use std::error::Error;
use std::time::Duration;

use postgres::{Client, Config, NoTls};

use crate::error::StackError;
use crate::folder::Folder;
use crate::layout::{self, DATABASE, Role};
use crate::secret::{Secret, SecretError, SecretSource};
use crate::shipped;

/// Roles of `roles.sql` that log in.
const LOGINS: [Role; 3] = [layout::RUNTIME, layout::MONITOR, layout::OWNER];
/// Roles that may come through PgBouncer. The owner connects directly, for migrations alone.
const POOLED: [&str; 2] = [layout::RUNTIME.name, layout::MONITOR.name];

/// Brings roles, passwords and the database up to date, and returns PgBouncer's user list.
pub(crate) fn prepare(folder: &Folder, port: u16) -> Result<String, StackError> {
    let config = login(folder, port, layout::SUPERUSER, "postgres")?;
    let mut client = config.connect(NoTls).map_err(sql(
        "cannot log in to PostgreSQL as its superuser, whose password is in secrets/superuser.password",
    ))?;
    create_database(&mut client).map_err(sql("cannot make the database warrior_api"))?;
    login(folder, port, layout::SUPERUSER, DATABASE)?
        .connect(NoTls)
        .and_then(|mut client| client.batch_execute(&without_psql(shipped::ROLES_SQL)))
        .map_err(sql("cannot make the roles of postgres-conf/roles.sql"))?;
    for role in LOGINS {
        set_password(&mut client, folder, role)
            .map_err(|e| e.or_sql("cannot set a role's password"))?;
    }
    user_list(&mut client, folder).map_err(|e| e.or_sql("cannot read the roles' SCRAM secrets"))
}

/// The login of the serving role to PgBouncer on `port`.
pub(crate) fn runtime_login(
    folder: &Folder,
    port: u16,
    database: &str,
) -> Result<Config, StackError> {
    login(folder, port, layout::RUNTIME, database)
}

/// The message of a database error with the server's own words, which its Display leaves out.
pub(crate) fn reason_of(error: &postgres::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

fn login(folder: &Folder, port: u16, role: Role, database: &str) -> Result<Config, StackError> {
    let password = password(folder, role)?;
    let mut config = Config::new();
    config
        .host(&layout::LOOPBACK.to_string())
        .port(port)
        .user(role.name)
        .password(password.expose())
        .dbname(database)
        .application_name("warrior-api stack")
        .connect_timeout(Duration::from_secs(5));
    Ok(config)
}

fn password(folder: &Folder, role: Role) -> Result<Secret, SecretError> {
    SecretSource::File(layout::secret(folder.path(), role.secret)).read()
}

/// `roles.sql` without the lines for psql, whose own commands begin with a backslash.
fn without_psql(text: &str) -> String {
    text.split_inclusive('\n')
        .filter(|line| !line.starts_with('\\'))
        .collect()
}

/// A password change without string building: ALTER ROLE takes no parameters, so the values travel as
/// settings of this session, and PostgreSQL itself quotes them.
fn set_password(client: &mut Client, folder: &Folder, role: Role) -> Result<(), Failure> {
    let password = password(folder, role)?;
    client.query_one(
        include_str!("sql/hand_over_password.sql"),
        &[&role.name, &password.expose()],
    )?;
    client.batch_execute(include_str!("sql/set_password.sql"))?;
    Ok(())
}

fn create_database(client: &mut Client) -> Result<(), postgres::Error> {
    let exists: bool = client
        .query_one(include_str!("sql/database_exists.sql"), &[&DATABASE])?
        .get(0);
    if !exists {
        client.batch_execute(include_str!("sql/create_database.sql"))?;
    }
    Ok(())
}

/// SCRAM pass-through: PgBouncer authenticates a client with its SCRAM secret, and logs in to PostgreSQL with
/// the keys that the client's proof reveals, which works when both hold the same secret. So the list holds no
/// password, and a secret stolen from it cannot be used to log in.
fn user_list(client: &mut Client, folder: &Folder) -> Result<String, Failure> {
    let rows = client.query(include_str!("sql/scram_secrets.sql"), &[&POOLED.as_slice()])?;
    let mut users: Vec<(String, String)> = rows.iter().map(|r| (r.get(0), r.get(1))).collect();
    users.push((
        layout::POOLER_ADMIN.name.to_owned(),
        pooler_admin_secret(client, folder)?,
    ));
    Ok(users
        .iter()
        .map(|(user, secret)| format!("\"{user}\" \"{secret}\"\n"))
        .collect())
}

/// The SCRAM secret of the console's administrator, computed by PostgreSQL in a transaction whose role is
/// rolled back.
fn pooler_admin_secret(client: &mut Client, folder: &Folder) -> Result<String, Failure> {
    let password = password(folder, layout::POOLER_ADMIN)?;
    let mut transaction = client.transaction()?;
    transaction.query_one(
        include_str!("sql/hand_over_password.sql"),
        &[&layout::POOLER_ADMIN.name, &password.expose()],
    )?;
    transaction.batch_execute(include_str!("sql/create_role.sql"))?;
    let row = transaction.query_one(
        include_str!("sql/scram_secrets.sql"),
        &[&[layout::POOLER_ADMIN.name].as_slice()],
    )?;
    let secret = row.get(1);
    transaction.rollback()?;
    Ok(secret)
}

fn sql(action: &'static str) -> impl FnOnce(postgres::Error) -> StackError {
    move |source| StackError::Sql {
        action,
        reason: reason_of(&source),
        source,
    }
}

/// The failure of a step that reads a secret and then talks to PostgreSQL.
enum Failure {
    Secret(SecretError),
    Sql(postgres::Error),
}

impl Failure {
    fn or_sql(self, action: &'static str) -> StackError {
        match self {
            Self::Secret(e) => e.into(),
            Self::Sql(e) => sql(action)(e),
        }
    }
}

impl From<SecretError> for Failure {
    fn from(e: SecretError) -> Self {
        Self::Secret(e)
    }
}

impl From<postgres::Error> for Failure {
    fn from(e: postgres::Error) -> Self {
        Self::Sql(e)
    }
}

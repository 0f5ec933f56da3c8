//! What can stop a schema command: what happened, why, and what to type next.

use std::error::Error;

use postgres::error::SqlState;

use crate::quoting::{identifier, quoted};

/// Why a schema command stopped. What it had done until then stays, and the next `schema apply`
/// goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The connection did not carry what only a direct one carries.
    #[error(
        "this connection goes through a pooler, where the lock of the migrations would not hold; set \
         POSTGRES_DIRECT_HOST and POSTGRES_DIRECT_PORT to PostgreSQL itself and run the command again"
    )]
    Pooled,
    /// The database cannot hold every name, or folds case in another way than the contract.
    #[error(
        "the database has encoding {encoding} and locale {locale}, but the API needs UTF8 and a \
         locale whose lower() folds I to i, É to é and Ж to ж; make one with: create database warrior_api \
         template template0 encoding 'UTF8' locale 'C.UTF-8'"
    )]
    Database {
        /// `server_encoding`.
        encoding: String,
        /// `lc_ctype`.
        locale: String,
    },
    /// The database has the plain schema, and the tuned one was to be applied.
    #[error(
        "the database has the plain schema, which no apply turns into the other one; run `warrior-api schema apply --plain`, \
         or make another database (create database warrior_tuned template template0 encoding 'UTF8' locale 'C.UTF-8') \
         and set POSTGRES_DB to it"
    )]
    IsPlain,
    /// The database has the tuned schema, or a part of it, and the plain one was to be applied.
    #[error(
        "the database has the schema with triggers and functions, which no apply turns into the plain one; run \
         `warrior-api schema apply`, or make another database (create database warrior_plain template template0 encoding \
         'UTF8' locale 'C.UTF-8') and set POSTGRES_DB to it"
    )]
    IsTuned,
    /// A table `warrior` is there, and the plain schema adopts none.
    #[error(
        "there is a table public.warrior already, and the plain schema adopts none; rename it (alter table public.warrior \
         rename to warrior_old), run `warrior-api schema apply --plain`, and copy its rows: insert into public.warrior \
         select id, name, dob, fight_skills, created_at from public.warrior_old"
    )]
    InTheWay,
    /// The table was to be distributed, and the engine cannot.
    #[error(
        "--distribute is for Citus, whose extension database {dbname} does not have; as an administrator run there: create \
         extension citus; and select citus_add_node('HOST', 5432) for each worker; then the command again"
    )]
    NoCitus {
        /// The database.
        dbname: String,
    },
    /// The plain schema keeps neither count nor lists.
    #[error(
        "the plain schema keeps no count and no lists beside the rows, so there is nothing to count again; \
         `warrior-api schema status` compares the rest"
    )]
    NothingKept,
    /// A load is for the tuned schema.
    #[error(
        "the database has the plain schema, into which no DuckDB file is imported; import it into a database with the \
         other one (`warrior-api schema apply`), and copy the rows: pg_dump --data-only --table public.warrior, and psql"
    )]
    NoLoad,
    /// There is a table `warrior`, and it is another one.
    #[error(
        "the table public.warrior is not one that can be adopted: {}; rename it (alter table \
         public.warrior rename to warrior_old) and run `warrior-api schema apply` again, or give it \
         this shape first: id uuid primary key, name varchar(100) not null, dob date not null, \
         fight_skills text[] not null, created_at timestamptz default now()",
        .0.join("; ")
    )]
    Shape(Vec<String>),
    /// The table is ours, and was changed since.
    #[error(
        "the table public.warrior is no longer as the migrations left it: {}; undo that change, then run \
         `warrior-api schema apply` again",
        .0.join("; ")
    )]
    Reshaped(Vec<String>),
    /// The service cannot work beside what others have put on the table.
    #[error(
        "the table public.warrior cannot be served as it is: {}; then run the command again",
        .0.join(" ")
    )]
    Obstacles(Vec<String>),
    /// The table belongs to a role that ours is no member of.
    #[error(
        "the table public.warrior belongs to role {owner}, and role {user} may not change it; as an \
         administrator run: psql -d {} -c {}, then \
         `warrior-api schema apply` again",
        quoted(.dbname),
        quoted(&format!("alter table public.warrior owner to {}", identifier(.user)))
    )]
    NotOwner {
        /// The table's owner.
        owner: String,
        /// The role of this connection.
        user: String,
        /// The database.
        dbname: String,
    },
    /// Parts of the schema belong to a role that ours is no member of.
    #[error(
        "parts of the schema belong to another role, as after a restore without owners; as an administrator run: {} \
         and then the command again",
        .0.join(" ")
    )]
    NotOurs(Vec<String>),
    /// The function under an index is another one.
    #[error(
        "the function public.warrior_skill_keys(text[]) is not the API's, so the entries of the index that is built on it \
         may be wrong, and searches may miss rows; run: drop index concurrently if exists public.idx_warrior_skill_keys; \
         drop function public.warrior_skill_keys(text[]); then `warrior-api schema apply`, which makes both again"
    )]
    IndexedFunction,
    /// The role that serves requests is not there.
    #[error(
        "role {role} (POSTGRES_USER) does not exist in this cluster; as an administrator run: psql -d \
         {} -f postgres-conf/roles.sql, or set POSTGRES_USER to the role that `warrior-api serve` \
         logs in as, then `warrior-api schema apply` again",
        quoted(.dbname)
    )]
    NoRole {
        /// The role.
        role: String,
        /// The database.
        dbname: String,
    },
    /// An index has the name of one of ours and is another one.
    #[error(
        "the index {name} is `{found}`, but the API needs `{wanted}` under that name; rename it \
         (alter index public.{name} rename to {name}_old) and run `warrior-api schema apply` again"
    )]
    OtherIndex {
        /// Its name.
        name: &'static str,
        /// As PostgreSQL describes it.
        found: String,
        /// As PostgreSQL would describe ours.
        wanted: &'static str,
    },
    /// A newer program was here.
    #[error(
        "the database has schema version {applied}, this program knows {known}; use the newer \
         program, since there is no way back"
    )]
    Newer {
        /// What the database has.
        applied: i32,
        /// What this program has.
        known: i32,
    },
    /// A newer program was here, and has not finished.
    #[error(
        "the database has the migration {applied}, which this program does not know; use the newer program, since there \
         is no way back"
    )]
    NewerTables {
        /// Version and name of the first that is not known.
        applied: String,
    },
    /// The schema is not there, or not yet.
    #[error(
        "the database has schema version {}, this needs {needed}; run `warrior-api schema apply` first",
        .applied.map_or_else(|| "none".to_owned(), |v| v.to_string())
    )]
    TooOld {
        /// What the database has.
        applied: Option<i32>,
        /// What the command needs.
        needed: i32,
    },
    /// The functions that a repair needs are not there, or are others.
    #[error(
        "{0}; run `warrior-api schema apply`, which creates the functions again, and then the command again"
    )]
    Functions(String),
    /// The table was locked all the time.
    #[error(
        "could not lock the table public.warrior within {attempts} attempts; it is held by \
         {holders}; end that transaction (select pg_terminate_backend(pid)) or wait for it, then \
         run `warrior-api schema apply` again"
    )]
    Locked {
        /// How often it was tried.
        attempts: u32,
        /// Process ids, roles and states.
        holders: String,
    },
    /// PostgreSQL refused.
    #[error("{doing}: {}", message_with_hint(.source))]
    Refused {
        /// What was being done.
        doing: String,
        /// Its answer.
        #[source]
        source: postgres::Error,
    },
    /// The schema in the database is an earlier edition of ours.
    #[error(
        "the {what} in this database is not as this program makes it, but as a build between two releases left \
         it; the table is adopted anew, rows and all, once the list of migrations is gone: run psql -d {} -c 'drop table if \
         exists public.refinery_schema_history; drop table if exists public.warrior_schema; drop function if exists \
         public.warrior_recount()', then `warrior-api schema apply` again",
        quoted(.dbname)
    )]
    Earlier {
        /// The first part that differs: a migration, or the version record.
        what: String,
        /// The database.
        dbname: String,
    },
    /// The version record has columns that this program does not know, and lacks some that it needs.
    #[error(
        "the table public.warrior_schema lacks columns that this program needs and has others: {}; a newer program, or \
         another one, has made it: use the newer program, or make a database for the API (create database warrior_api \
         template template0 encoding 'UTF8' locale 'C.UTF-8') and set POSTGRES_DB to it",
        .0.join(", ")
    )]
    OtherRecord(Vec<String>),
    /// The migrations in the database are another program's.
    #[error(
        "public.refinery_schema_history lists {applied}, a migration of another program, which needs that table; \
         make a database for the API (create database warrior_api template template0 encoding 'UTF8' locale \
         'C.UTF-8') and set POSTGRES_DB to it"
    )]
    Foreign {
        /// Version and name of the first that is not ours.
        applied: String,
    },
    /// A migration failed.
    #[error("{doing}: {}", database_cause(.source).map_or_else(|| .source.to_string(), message_with_hint))]
    Migration {
        /// What was being done.
        doing: String,
        /// The migration library's account of it.
        #[source]
        source: Box<refinery::Error>,
    },
}

impl SchemaError {
    /// PostgreSQL's code for it.
    pub(super) fn code(&self) -> Option<&SqlState> {
        let cause = match self {
            Self::Refused { source, .. } => Some(source),
            Self::Migration { source, .. } => database_cause(source.as_ref()),
            _ => None,
        };
        cause.and_then(postgres::Error::code)
    }

    /// Whether a lock was not given in time, so that another attempt may succeed.
    pub(super) fn is_lock_timeout(&self) -> bool {
        self.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
    }
}

/// Names what was being done when PostgreSQL refused it.
pub(super) trait Doing<T> {
    /// As it stands in a sentence: "reading the indexes".
    fn doing(self, what: &str) -> Result<T, SchemaError>;
}

impl<T> Doing<T> for Result<T, postgres::Error> {
    fn doing(self, what: &str) -> Result<T, SchemaError> {
        self.map_err(|source| SchemaError::Refused {
            doing: what.to_owned(),
            source,
        })
    }
}

/// PostgreSQL's error, if it is among the causes.
fn database_cause<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e postgres::Error> {
    let mut cause = Some(error);
    while let Some(e) = cause {
        if let Some(found) = e.downcast_ref() {
            return Some(found);
        }
        cause = e.source();
    }
    None
}

/// PostgreSQL's message with its hint, which for our own migrations is the next command. Of objects that others depend on
/// the detail names them, and the hint would drop them.
fn message_with_hint(error: &postgres::Error) -> String {
    let Some(db) = error.as_db_error() else {
        return super::super::chain(error);
    };
    let more = match db.code() == &SqlState::DEPENDENT_OBJECTS_STILL_EXIST {
        true => db.detail(),
        false => db.hint(),
    };
    match more {
        Some(more) => format!("{}; {more}", db.message()),
        None => db.message().to_owned(),
    }
}

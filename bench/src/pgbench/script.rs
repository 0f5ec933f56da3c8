//! A script of pgbench: a statement of the server, its parameters read from tables.

use anyhow::{bail, ensure};
use postgres::Client;
use serde::Serialize;

/// Rows of a batch, as the server makes batches under load.
pub(crate) const BATCH: u32 = 50;

/// Different rows to be inserted; they are used in turn.
pub(super) const ROWS: u64 = 50_000;

/// Different lookups, for each size of a batch, and different searches.
pub(super) const LOOKUPS: i32 = 2_000;

/// Different batches of rows.
pub(super) const BATCHES: u64 = ROWS / BATCH as u64;

/// The statements that the server sends.
const INSERT: &str = include_str!("../../../src/store/sql/insert.sql");
const FIND: &str = concat!(
    include_str!("../../../src/store/sql/shared_columns.sql"),
    include_str!("../../../src/store/sql/find.sql")
);
const SEARCH: &str = concat!(
    include_str!("../../../src/store/sql/shared_columns.sql"),
    include_str!("../../../src/store/sql/search.sql")
);

/// The statements that PostgREST makes: a create, a source of rows, and the JSON of any such source.
const POSTGREST_CREATE: &str = include_str!("../sql/postgrest_create.sql");
const POSTGREST_FIND: &str = include_str!("../sql/postgrest_find.sql");
const POSTGREST_READ: &str = include_str!("../sql/postgrest_read.sql");

/// The statement that a script runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Script {
    /// `insert.sql` into the table that the API serves.
    Create,
    /// `insert.sql` into one with the same columns and primary key, and nothing else.
    CreateBare,
    /// `find.sql`.
    Find,
    /// An insert from JSON, as PostgREST writes it.
    PostgrestCreate,
    /// A read of one row that answers JSON, as PostgREST writes it.
    PostgrestFind,
    /// `search.sql`, whose answer the database turns into JSON.
    PostgrestSearch,
}

impl Script {
    /// Whether it inserts into the table that the API serves.
    pub(super) fn creates(self) -> bool {
        matches!(self, Script::Create | Script::PostgrestCreate)
    }

    /// Whether its rows need ids that are made before.
    pub(super) fn takes_ids(self) -> bool {
        matches!(self, Script::Create | Script::CreateBare)
    }
}

/// One way to run pgbench: a statement, the rows of each transaction, and the way to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    /// The statement of each transaction.
    pub script: Script,
    /// To how many rows.
    pub size: u32,
    /// Through PgBouncer.
    pub pooled: bool,
}

impl Job {
    /// One statement a request, through PgBouncer.
    pub(crate) fn postgrest(script: Script) -> Job {
        Job {
            script,
            size: 1,
            pooled: true,
        }
    }

    /// The numbers of clients to try. Single statements through a pooler want more of them than batches do.
    pub(crate) fn clients(&self) -> [u32; 3] {
        match self.script {
            Script::Create | Script::CreateBare | Script::Find => [2, 4, 8],
            Script::PostgrestCreate | Script::PostgrestFind | Script::PostgrestSearch => {
                [8, 16, 32]
            }
        }
    }

    /// How the table of results names it.
    pub(crate) fn name(&self) -> String {
        let size = match self.size {
            1 => "one by one".to_owned(),
            size => format!("batches of {size}"),
        };
        let way = if self.pooled { "PgBouncer" } else { "direct" };
        let bare = match self.script {
            Script::CreateBare => ", bare table",
            Script::Create | Script::Find => "",
            Script::PostgrestCreate | Script::PostgrestFind | Script::PostgrestSearch => {
                return format!("pgbench PostgREST's statement, {way}");
            }
        };
        format!("pgbench {size}, {way}{bare}")
    }

    /// The script: the server's statement, its parameters read from the tables of the schema bench.
    pub(super) fn text(&self, batches_per_client: u32) -> anyhow::Result<String> {
        let size = self.size;
        match self.script {
            Script::Create | Script::CreateBare => self.insert(batches_per_client),
            Script::Find => {
                let ids = format!("ids from bench.wanted where size = {size}");
                drawn(FIND, LOOKUPS as u64, &ids)
            }
            Script::PostgrestCreate => drawn(
                POSTGREST_CREATE,
                BATCHES,
                "body from bench.new_bodies where true",
            ),
            Script::PostgrestFind => {
                let statement = with_source(POSTGREST_FIND);
                let id = "ids[1] from bench.wanted where size = 1";
                drawn(&statement, LOOKUPS as u64, id)
            }
            Script::PostgrestSearch => {
                let statement = with_source(SEARCH);
                drawn(
                    &statement,
                    LOOKUPS as u64,
                    "term from bench.terms where true",
                )
            }
        }
    }

    fn insert(&self, batches_per_client: u32) -> anyhow::Result<String> {
        let size = self.size;
        let batch = |column: &str, table: &str, n: &str| {
            format!("(select {column} from bench.{table} where size = {size} and n = :{n})")
        };
        let parameters = [
            batch("ids", "new_ids", "n"),
            batch("names", "new_names", "b"),
            batch("dobs", "new_names", "b"),
            batch("skills", "new_skills", "b"),
        ];
        let mut statement = with_parameters(INSERT, &parameters)?;
        if self.script == Script::CreateBare {
            ensure!(
                statement.matches("public.warrior ").count() == 1,
                "insert.sql names its table in another way than the bench knows"
            );
            statement = statement.replace("public.warrior ", "bench.warrior ");
        }
        // pgbench keeps the variables of a client from one transaction to the next.
        Ok(format!(
            "\\set n :client_id * {batches_per_client} + :i\n\\set b :n % {BATCHES}\n\
             \\set i :i + 1\n{statement};\n"
        ))
    }

    /// The rows of the table that it inserts into.
    pub(super) fn rows(&self, owner: &mut Client) -> anyhow::Result<Option<i64>> {
        let statement = match self.script {
            script if script.creates() => include_str!("../../../src/store/sql/count.sql"),
            Script::CreateBare => "select count(*) from bench.warrior",
            _ => return Ok(None),
        };
        Ok(Some(owner.query_one(statement, &[])?.try_get(0)?))
    }
}

/// What PostgREST makes of a source of rows; on lines of their own, since each file begins with a comment.
fn with_source(source: &str) -> String {
    format!("with pgrst_source as (\n{source}\n)\n{POSTGREST_READ}")
}

/// A script whose one parameter is drawn: `source` is a select list, a table of the schema bench and a condition.
fn drawn(statement: &str, different: u64, source: &str) -> anyhow::Result<String> {
    let parameter = format!("(select {source} and n = :n)");
    let statement = with_parameters(statement, &[parameter])?;
    let last = different - 1;
    Ok(format!("\\set n random(0, {last})\n{statement};\n"))
}

/// A statement of the server without its comments, each `$n` replaced.
fn with_parameters(statement: &str, values: &[String]) -> anyhow::Result<String> {
    let mut text: String = statement
        .lines()
        .filter(|line| !line.trim_start().starts_with("--"))
        .map(|line| format!("{line}\n"))
        .collect();
    for (place, value) in values.iter().enumerate() {
        let parameter = format!("${}", place + 1);
        if text.matches(&parameter).count() != 1 {
            bail!("the server's statement does not use {parameter} once:\n{text}");
        }
        text = text.replace(&parameter, value);
    }
    ensure!(
        !text.contains('$'),
        "the server's statement has a parameter that the bench does not know:\n{text}"
    );
    Ok(text.trim().trim_end_matches(';').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_statements_become_scripts() {
        let job = |script, size| Job {
            script,
            size,
            pooled: false,
        };
        let create = job(Script::Create, 50).text(100).expect("known parameters");
        assert!(create.contains("insert into public.warrior "), "{create}");
        assert!(
            create.contains("from bench.new_ids where size = 50"),
            "{create}"
        );
        let bare = job(Script::CreateBare, 50).text(100).expect("one table");
        assert!(!bare.contains("public.warrior "), "{bare}");
        let search = Job::postgrest(Script::PostgrestSearch)
            .text(0)
            .expect("one parameter");
        assert!(search.contains("json_agg"), "{search}");
        assert!(!search.contains('$') && !search.contains("--"), "{search}");
        let find = job(Script::Find, 1).text(0).expect("one parameter");
        assert!(find.contains("from bench.wanted where size = 1"), "{find}");
        assert!(!find.contains('$') && !find.contains("--"), "{find}");
    }

    #[test]
    fn a_statement_with_other_parameters_is_refused() {
        let values = ["1".to_owned()];
        for statement in ["select 1", "select $1, $2", "select $1, $1"] {
            assert!(with_parameters(statement, &values).is_err(), "{statement}");
        }
        let text = with_parameters("-- $9\nselect $1;\n", &values).expect("one");
        assert_eq!(text, "select 1");
    }
}

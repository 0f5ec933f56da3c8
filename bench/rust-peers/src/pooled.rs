//! A pool of connections, and a prepared statement in a transaction of its own for each request.

use clap::ValueEnum;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, NoTls, Row};
use uuid::Uuid;

use crate::failure::Failure;
use crate::warrior::{NewWarrior, Warrior};

/// The statement behind a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Search {
    /// The search function of this repository's schema
    Function,
    /// The migration guide's ILIKE over all columns
    Guide,
}

const INSERT: &str = include_str!("sql/insert.sql");
const FIND: &str = include_str!("sql/find.sql");
const SEARCH_GUIDE: &str = include_str!("sql/search_guide.sql");
/// The server's own, so that what is compared is how it is called.
const SEARCH: &str = concat!(
    include_str!("../../../src/store/sql/shared_columns.sql"),
    include_str!("../../../src/store/sql/search.sql")
);
const COUNT: &str = include_str!("../../../src/store/sql/count.sql");

/// The guide's limit of a statement (section 3), as its connections have it; the role's is 2 s.
const GUIDE_OPTIONS: &str = "-c statement_timeout=30000";

/// A pool of connections.
pub(crate) struct Pooled {
    pool: Pool,
    search: Search,
}

impl Pooled {
    /// Opens the whole pool, so that no request waits for a login.
    pub(crate) async fn start(
        mut config: Config,
        connections: usize,
        search: Search,
    ) -> anyhow::Result<Pooled> {
        if search == Search::Guide {
            config.options(GUIDE_OPTIONS);
        }
        let recycling = ManagerConfig {
            // No question to the database before each use.
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_config(config, NoTls, recycling);
        let pool = Pool::builder(manager).max_size(connections).build()?;
        let mut opened = Vec::new();
        for _ in 0..connections {
            opened.push(pool.get().await?);
        }
        drop(opened);
        Ok(Pooled { pool, search })
    }

    pub(crate) async fn create(&self, id: Uuid, warrior: &NewWarrior) -> Result<(), Failure> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(INSERT).await?;
        let NewWarrior {
            name,
            dob,
            fight_skills,
        } = warrior;
        client
            .execute(&statement, &[&id, name, dob, fight_skills])
            .await?;
        Ok(())
    }

    pub(crate) async fn find(&self, id: Uuid) -> Result<Option<Warrior>, Failure> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(FIND).await?;
        let row = client.query_opt(&statement, &[&id]).await?;
        Ok(row.as_ref().map(Warrior::read_stored).transpose()?)
    }

    pub(crate) async fn search(&self, term: &str) -> Result<Vec<Warrior>, Failure> {
        let client = self.pool.get().await?;
        let rows = match self.search {
            Search::Function => rows(&client, SEARCH, &[&term]).await?,
            Search::Guide => rows(&client, SEARCH_GUIDE, &[&term, &format!("%{term}%")]).await?,
        };
        Ok(rows.iter().map(Warrior::read).collect::<Result<_, _>>()?)
    }

    pub(crate) async fn count(&self) -> Result<i64, Failure> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(COUNT).await?;
        Ok(client.query_one(&statement, &[]).await?.try_get(0)?)
    }
}

async fn rows(
    client: &Object,
    statement: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, tokio_postgres::Error> {
    let statement = client.prepare_cached(statement).await?;
    client.query(&statement, parameters).await
}

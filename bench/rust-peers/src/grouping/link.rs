//! A connection of one task.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Error, NoTls, Row, Statement};

/// How long a login is tried again.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(60);
/// The pause before it is.
const LOGIN_PAUSE: Duration = Duration::from_millis(100);

/// A connection, with the statements that it has prepared where it prepares any.
pub(super) struct Link {
    client: Client,
    prepared: Option<Mutex<HashMap<&'static str, Statement>>>,
}

impl Link {
    pub(super) async fn connect(config: &Config, prepare: bool) -> Result<Arc<Link>, Error> {
        let give_up = Instant::now() + LOGIN_TIMEOUT;
        // A busy pooler ends a login that takes its time.
        let (client, connection) = loop {
            match config.connect(NoTls).await {
                Ok(connected) => break connected,
                Err(error) if Instant::now() > give_up => return Err(error),
                Err(_) => tokio::time::sleep(LOGIN_PAUSE).await,
            }
        };
        tokio::spawn(connection);
        let prepared = prepare.then(Mutex::default);
        Ok(Arc::new(Link { client, prepared }))
    }

    /// Runs a statement in one exchange: unnamed with its types, or prepared before.
    pub(super) async fn rows(
        &self,
        text: &'static str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, Error> {
        let Some(prepared) = &self.prepared else {
            return self.client.query_typed(text, parameters).await;
        };
        let lock = || prepared.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().get(text).cloned();
        let statement = match known {
            Some(statement) => statement,
            None => {
                let types: Vec<Type> = parameters.iter().map(|(_, of)| of.clone()).collect();
                let statement = self.client.prepare_typed(text, &types).await?;
                lock().insert(text, statement.clone());
                statement
            }
        };
        let values: Vec<&(dyn ToSql + Sync)> = parameters.iter().map(|(value, _)| *value).collect();
        self.client.query(&statement, &values).await
    }
}

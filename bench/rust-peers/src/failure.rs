//! Failures of the database, and the answer to them.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use deadpool_postgres::PoolError;

/// Why a request was not executed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("no connection: {0}")]
    Pool(#[from] PoolError),
    #[error("the database failed: {0}")]
    Database(#[from] tokio_postgres::Error),
    #[error("the queue is full")]
    Full,
    #[error("the batch failed")]
    Batch,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (StatusCode::SERVICE_UNAVAILABLE, self.to_string()).into_response()
    }
}

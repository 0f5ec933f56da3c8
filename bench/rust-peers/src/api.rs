//! The routes of the contract. Errors have its status, and a text instead of a problem document.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{StatusCode, header::LOCATION};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::failure::Failure;
use crate::store::Store;
use crate::warrior::{NewWarrior, Warrior};

/// The contract's limit of a body.
const BODY_BYTES_MAX: usize = 64 * 1024;

type Shared = State<Arc<Store>>;

#[derive(Deserialize)]
struct Term {
    t: String,
}

#[derive(Serialize)]
struct Count {
    count: i64,
}

/// All routes, on one store.
pub(crate) fn router(store: Store) -> Router {
    Router::new()
        .route("/warrior", post(create).get(search))
        .route("/warrior/{id}", get(find))
        .route("/counting-warriors", get(count))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Arc::new(store))
}

async fn create(State(store): Shared, Json(new): Json<NewWarrior>) -> Result<Response, Failure> {
    if let Some(problem) = new.problem() {
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, problem).into_response());
    }
    let id = Uuid::now_v7();
    let answer = Json(Warrior::created(id, new.clone()));
    store.create(id, new).await?;
    let location = [(LOCATION, format!("/warrior/{id}"))];
    Ok((StatusCode::CREATED, location, answer).into_response())
}

async fn find(State(store): Shared, Path(id): Path<String>) -> Result<Response, Failure> {
    let found = match id.parse() {
        Ok(id) => store.find(id).await?,
        Err(_not_a_uuid) => None,
    };
    Ok(match found {
        Some(warrior) => Json(warrior).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    })
}

async fn search(
    State(store): Shared,
    term: Result<Query<Term>, QueryRejection>,
) -> Result<Response, Failure> {
    match term {
        Ok(Query(Term { t })) if !t.is_empty() => Ok(Json(store.search(t).await?).into_response()),
        _ => Ok((
            StatusCode::BAD_REQUEST,
            "t must be given once, and not empty",
        )
            .into_response()),
    }
}

async fn count(State(store): Shared) -> Result<Json<Count>, Failure> {
    let count = store.count().await?;
    Ok(Json(Count { count }))
}

//! The admin listener: the live page on `/`, `/live`, `/ready`, `/metrics` and `/figures`.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Response, StatusCode};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use super::page;
use super::source::Source;
use super::text_format::{OPEN_METRICS, PROMETHEUS, prometheus, takes_open_metrics};
use crate::api::{KnownKeys, Problem};
use crate::dispatch::Dispatch;
use crate::http::{Phase, Received};

/// Longest time that `/ready` waits for the database.
const READY_TIMEOUT: Duration = Duration::from_secs(1);

/// Answers operators and load balancers.
#[derive(Clone)]
pub struct Admin {
    dispatch: Arc<Dispatch>,
    registry: Arc<Registry>,
    schema_version: i32,
    deadline: Duration,
    keys: KnownKeys,
    phase: watch::Receiver<Phase>,
    figures: Arc<Source>,
}

impl Admin {
    /// An admin that calls the server ready while the database has at least `schema_version` and can be
    /// written to, every lane serves requests within `deadline`, the `keys` are known, and `phase` is serving.
    pub fn new(
        dispatch: Arc<Dispatch>,
        registry: Arc<Registry>,
        schema_version: i32,
        deadline: Duration,
        keys: KnownKeys,
        phase: watch::Receiver<Phase>,
        figures: Arc<Source>,
    ) -> Self {
        Self {
            dispatch,
            registry,
            schema_version,
            deadline,
            keys,
            phase,
            figures,
        }
    }

    /// Answers one request; a body is read and ignored. Errors of HTTP itself look as those of the API.
    pub async fn answer(&self, received: Received) -> Response<Full<Bytes>> {
        let head = match received {
            Received::Request(head, _) => head,
            Received::Refused(_, fault) => return Problem::Http(fault).response(),
        };
        if !matches!(head.method, Method::GET | Method::HEAD) {
            return Problem::MethodNotAllowed("GET, HEAD").response();
        }
        match head.uri.path() {
            "/live" => text(StatusCode::OK, "live\n".to_owned()),
            "/ready" => match self.ready().await {
                Ok(how) => text(StatusCode::OK, how.to_owned()),
                Err(why) => text(
                    StatusCode::SERVICE_UNAVAILABLE,
                    format!("not ready: {why}\n"),
                ),
            },
            "/metrics" => self.metrics(takes_open_metrics(&head.headers)),
            "/figures" => self.figures(),
            path => page::at(path).unwrap_or_else(|| {
                let known = "there are /, /live, /ready, /metrics and /figures\n";
                text(StatusCode::NOT_FOUND, known.to_owned())
            }),
        }
    }

    /// A server whose requests wait out an outage takes them as any other server would, which has the same database: taken
    /// out of a balancer, they would be refused instead.
    async fn ready(&self) -> Result<&'static str, String> {
        if *self.phase.borrow() != Phase::Serving {
            return Err("the server is draining".to_owned());
        }
        let database = self.dispatch.readiness(READY_TIMEOUT).await?;
        if let Some(database) = database {
            database.suffices(self.schema_version)?;
        }
        self.dispatch.lanes_serve(self.deadline)?;
        match &*self.keys.borrow() {
            Ok(_) => Ok(match database {
                Some(_) => "ready\n",
                None => {
                    "ready: the database does not answer at the moment, and requests wait for it\n"
                }
            }),
            Err(why) => Err(format!(
                "creates are refused, since the secret of Idempotency-Keys cannot be read: {why}; run \
                 `warrior-api {}` with this server's POSTGRES_USER, or set IDEMPOTENCY_SECRET",
                database.unwrap_or_default().schema.apply_command()
            )),
        }
    }

    fn figures(&self) -> Response<Full<Bytes>> {
        match serde_json::to_string(&self.figures.read()) {
            Ok(json) => typed(StatusCode::OK, json, "application/json"),
            Err(e) => text(
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("figures cannot be written: {e}\n"),
            ),
        }
    }

    fn metrics(&self, open_metrics: bool) -> Response<Full<Bytes>> {
        let mut body = String::new();
        if encode(&mut body, &self.registry).is_err() {
            return text(
                StatusCode::INTERNAL_SERVER_ERROR,
                "metrics cannot be written\n".to_owned(),
            );
        }
        match open_metrics {
            true => typed(StatusCode::OK, body, OPEN_METRICS),
            false => typed(StatusCode::OK, prometheus(&body), PROMETHEUS),
        }
    }
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    typed(status, body, "text/plain; charset=utf-8")
}

fn typed(status: StatusCode, body: String, content_type: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

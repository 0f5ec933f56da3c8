//! The API's surface: requests become one closed enum, outcomes become responses. Pure but for the lanes that
//! execute.

mod route;

mod create;

mod query;

mod keys;

mod problem;

mod faults;

mod render;

mod answers;

mod server_timing;

mod openapi;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use hyper::http::request::Parts;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

pub use answers::{Answers, Lists};
pub use create::Create;
pub use keys::Keys;
pub use openapi::DOCUMENT;
pub use problem::{Problem, Settle};
pub use route::{Request, Route, route};

use crate::dispatch::{Dispatch, Failure, Reason, Stages, Timeline};
use crate::http::Received;
use crate::store::{Created, NewRow};
use crate::throttle::{panic_message, throttled};
use server_timing::SERVER_TIMING;

/// Answers requests, with the help of the lanes.
#[derive(Clone)]
pub struct Api {
    dispatch: Arc<Dispatch>,
    keys: KnownKeys,
    deadline: Duration,
}

/// The keys, or why there are none yet.
pub type KnownKeys = watch::Receiver<Result<Keys, String>>;

/// A request that has been read.
pub struct Asked {
    route: Route,
    request: Result<Request, Problem>,
    timeline: Timeline,
    /// Whether its client asks for `Server-Timing`.
    tells_timing: bool,
}

/// An answer, and what metrics count of it.
pub struct Answer {
    /// One of a few.
    pub route: Route,
    /// The response itself.
    pub response: Response<Full<Bytes>>,
    /// Where the time of the request went.
    pub stages: Stages,
    /// When the answer was there.
    pub at: Instant,
}

impl Api {
    /// An API that answers within `deadline`.
    pub fn new(dispatch: Arc<Dispatch>, keys: KnownKeys, deadline: Duration) -> Self {
        Self {
            dispatch,
            keys,
            deadline,
        }
    }

    /// Reads one request. Nothing of it is left afterwards: its bytes lie in the buffer that hyper reads into, and
    /// as long as they are in use, hyper needs another.
    pub fn read(&self, received: Received) -> Asked {
        let began = Instant::now();
        let mut timeline = Timeline::new(began, began + self.deadline);
        match received {
            Received::Request(head, body) => {
                let asked = Route::of(&head);
                Asked {
                    route: asked,
                    tells_timing: server_timing::is_wanted(&head.headers),
                    request: (self.shed(asked, &head, &mut timeline))
                        .and_then(|()| guarded(|| route(&head, &body)).flatten()),
                    timeline,
                }
            }
            Received::Refused(head, fault) => Asked {
                route: head.as_ref().map_or(Route::None, Route::of),
                tells_timing: false,
                request: Err(Problem::Http(fault)),
                timeline,
            },
        }
    }

    /// Sheds a create by its head alone: JSON is the dearest part of a refusal. Other requests are nearly all head.
    fn shed(&self, route: Route, head: &Parts, timeline: &mut Timeline) -> Result<(), Problem> {
        if route != Route::Create {
            return Ok(());
        }
        self.dispatch.shed_create(timeline).map_err(|failure| {
            let reason = not_done(failure);
            match create::has_key(&head.headers) {
                true => Problem::AttemptNotDone(reason),
                false => Problem::NotDone(reason),
            }
        })
    }

    /// Answers one request.
    pub async fn answer(&self, asked: Asked) -> Answer {
        let mut timeline = asked.timeline;
        let result = match asked.request {
            Ok(request) => self.execute(request, &mut timeline).await,
            Err(problem) => Err(problem),
        };
        let mut response = result.unwrap_or_else(|problem| problem.response());
        let at = Instant::now();
        let stages = timeline.end(at);
        if asked.tells_timing
            && let Some(timing) = server_timing::value(&stages)
        {
            response.headers_mut().insert(SERVER_TIMING, timing);
        }
        Answer {
            route: asked.route,
            response,
            stages,
            at,
        }
    }

    async fn execute(
        &self,
        request: Request,
        timeline: &mut Timeline,
    ) -> Result<Response<Full<Bytes>>, Problem> {
        match request {
            Request::Create(create) => self.create(create, timeline).await,
            Request::Find(None) => Err(unknown_warrior()),
            Request::Find(Some(id)) => {
                let found = self.dispatch.find(id, timeline).await;
                let json = found.map_err(read_failed)?.ok_or_else(unknown_warrior)?;
                Ok(render::json_bytes(json))
            }
            Request::Search(None) => Ok(render::json_bytes(Bytes::from_static(b"[]"))),
            Request::Search(Some(term)) => {
                let json = self.dispatch.search(term, timeline).await;
                json.map(render::json_bytes).map_err(read_failed)
            }
            Request::Count => {
                let count = self.dispatch.count(timeline).await;
                let count = count.map_err(read_failed)?;
                guarded(|| render::count(count))
            }
            Request::Health => Ok(render::json_bytes(Bytes::from_static(
                br#"{"status":"ok"}"#,
            ))),
            Request::OpenApi => Ok(render::json_bytes(Bytes::from_static(DOCUMENT.as_bytes()))),
        }
    }

    async fn create(
        &self,
        create: Create,
        timeline: &mut Timeline,
    ) -> Result<Response<Full<Bytes>>, Problem> {
        // Also a create without a key needs them: one that ends unknown is settled by a key.
        let keys = match &*self.keys.borrow() {
            Ok(keys) => keys.clone(),
            Err(_) => return Err(Problem::NoKeys),
        };
        let id = create
            .key
            .as_ref()
            .map_or_else(Keys::fresh, |key| keys.id(key));
        let row = NewRow {
            id,
            keyed: create.key.is_some(),
            warrior: Arc::clone(&create.warrior),
        };
        let outcome = self.dispatch.create(row, timeline).await;
        let not_done = |reason| match &create.key {
            Some(_) => Problem::AttemptNotDone(reason),
            None => Problem::NotDone(reason),
        };
        match outcome {
            Ok(Created::Stored) => guarded(|| render::created(id, &create.warrior))
                .map_err(|_| Problem::Unknown(settle(&keys, id, create.key))),
            Ok(Created::Mismatch) => Err(Problem::KeyReused),
            Ok(Created::Altered) => Err(Problem::Altered(settle(&keys, id, create.key))),
            Ok(Created::Vanished) => Err(not_done(Reason::RolledBack)),
            Err(Failure::NotDone(reason)) => Err(not_done(reason)),
            Ok(Created::Refused) | Err(Failure::Rejected) => Err(Problem::RefusedByDatabase),
            Err(Failure::Unknown) => Err(Problem::Unknown(settle(&keys, id, create.key))),
        }
    }
}

/// The way to settle a create of unknown outcome: the client's own key, or one that stands for the id.
fn settle(keys: &Keys, id: Uuid, key: Option<String>) -> Box<Settle> {
    Box::new(Settle {
        id,
        location: render::location(id),
        idempotency_key: key.unwrap_or_else(|| keys.key_of(id)),
    })
}

/// Runs code of the front end that should not panic; if it does, its client still gets an answer, and
/// the others on its connection theirs.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Problem> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        throttled!(
            ERROR,
            "the front end panicked and goes on",
            lane = "",
            reason = "panic",
            panic = panic_message(&*panic)
        );
        Problem::NotDone(Reason::Panicked)
    })
}

fn unknown_warrior() -> Problem {
    Problem::NotFound("No warrior has this id.")
}

/// A read has no effect, so it may be repeated after any failure.
fn read_failed(failure: Failure) -> Problem {
    Problem::NotDone(not_done(failure))
}

/// Why a request without an effect was not done.
fn not_done(failure: Failure) -> Reason {
    match failure {
        Failure::NotDone(reason) => reason,
        Failure::Unknown => Reason::Deadline,
        Failure::Rejected => Reason::ReadFailed,
    }
}

#[cfg(test)]
mod tests;

//! The requests of a run: what is sent, and which status the contract prescribes for it.

mod place;
mod rows;
mod template;
mod warrior;

use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;

pub use place::Place;
pub use rows::Rows;
pub use template::Template;
pub use warrior::{MARTIAL_ARTS, Skills, Warrior, search_term};

use crate::schedule::stream;
use crate::target::Target;

/// The kind of a scenario's requests.
#[derive(Clone, Debug)]
pub enum Kind {
    /// `POST /warrior` with the public stress test's payloads, good and bad.
    Create,
    /// `POST /warrior` with payloads that the contract accepts.
    CreateValid,
    /// `GET /warrior?t=` a random term.
    Search,
    /// `GET /warrior` without its term, which must be 400.
    SearchWithoutTerm,
    /// `GET` of a warrior that this run created; of an unknown one (404) until there is any.
    Find,
    /// `GET /counting-warriors`.
    Count,
    /// `GET` of one of these, which all must be 200.
    OneOf(Arc<[Uri]>),
    /// A request to any HTTP API.
    Custom(Arc<Custom>),
}

/// A request written in a profile or on the command line.
#[derive(Clone, Debug)]
pub struct Custom {
    /// `GET`, `POST` and so on.
    pub method: Method,
    /// Path and query, with fields.
    pub path: Template,
    /// The body, with fields.
    pub body: Option<Template>,
    /// Headers besides `Host`, with fields.
    pub headers: Vec<(HeaderName, Template)>,
    /// The statuses that count as success.
    pub expect: Expect,
    /// The rows that columns among the fields draw from.
    pub rows: Rows,
}

/// The statuses that count as success for one request.
#[derive(Clone, Debug, PartialEq)]
pub enum Expect {
    /// This one and no other.
    Exactly(u16),
    /// Any of these.
    AnyOf(Arc<[u16]>),
    /// Any from 200 to 299.
    AnySuccess,
}

impl Expect {
    /// Whether `status` is as prescribed.
    pub fn holds(&self, status: u16) -> bool {
        match self {
            Expect::Exactly(prescribed) => status == *prescribed,
            Expect::AnyOf(prescribed) => prescribed.contains(&status),
            Expect::AnySuccess => (200..300).contains(&status),
        }
    }
}

/// A request that is ready to be sent, any number of times.
#[derive(Clone, Debug)]
pub struct Prepared {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    /// The body; for a create, what the ledger remembers.
    pub body: Bytes,
    /// The statuses that the contract prescribes.
    pub expect: Expect,
    /// Whether this may store a row, so that the ledger has to know of it.
    pub is_create: bool,
}

impl Prepared {
    /// The request as hyper sends it.
    pub fn to_request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }

    /// A `GET` that must answer `status`.
    pub fn get(target: &Target, uri: Uri, status: u16) -> Prepared {
        Prepared {
            method: Method::GET,
            uri,
            headers: headers(target, false),
            body: Bytes::new(),
            expect: Expect::Exactly(status),
            is_create: false,
        }
    }

    /// A `POST` of `warrior` with an idempotency key.
    pub fn keyed_create(
        target: &Target,
        uri: Uri,
        key: &'static str,
        warrior: &'static [u8],
    ) -> Prepared {
        let mut headers = headers(target, true);
        headers.insert("idempotency-key", HeaderValue::from_static(key));
        Prepared {
            method: Method::POST,
            uri,
            headers,
            body: Bytes::from_static(warrior),
            expect: Expect::Exactly(201),
            is_create: true,
        }
    }

    /// Method and path, for error examples.
    pub fn describe(&self) -> String {
        format!("{} {}", self.method, self.uri)
    }
}

/// Makes the requests of one scenario.
#[derive(Clone, Debug)]
pub struct Maker {
    kind: Kind,
    seed: u64,
    lane: u64,
    letters: Option<u64>,
    target: Target,
    headers: HeaderMap,
}

impl Maker {
    /// Requests of `kind` to `target`. `lane` keeps the random streams of scenarios apart.
    pub fn new(kind: Kind, seed: u64, lane: u64, target: &Target) -> Maker {
        let json = matches!(kind, Kind::Create | Kind::CreateValid);
        Maker {
            headers: headers(target, json),
            kind,
            seed,
            lane,
            letters: None,
            target: target.clone(),
        }
    }

    /// The same requests with the letters of their warriors drawn by `letters`, so that the rows of two runs with
    /// one seed are told apart.
    pub fn in_letters(self, letters: Option<u64>) -> Maker {
        Maker { letters, ..self }
    }

    /// Whether these requests can store rows that the ledger has to know of.
    pub fn creates(&self) -> bool {
        matches!(self.kind, Kind::Create | Kind::CreateValid)
    }

    /// Makes the request of every row once, so that none fails when it is due.
    ///
    /// # Errors
    /// Names the row that makes no request.
    pub fn check(&self) -> anyhow::Result<()> {
        let Kind::Custom(custom) = &self.kind else {
            return Ok(());
        };
        for index in 0..custom.rows.count().max(1) as u64 {
            let made = self.custom(custom, index, &mut stream(self.seed, self.lane, index));
            if let Err(error) = made {
                return Err(match custom.rows.place(index) {
                    Some(place) => error.context(place),
                    None => error,
                });
            }
        }
        Ok(())
    }

    /// Request number `index`. `known` are locations that this run was given by the server.
    pub fn make(&self, index: u64, known: &[Uri]) -> anyhow::Result<Prepared> {
        let mut random = stream(self.seed, self.lane, index);
        Ok(match &self.kind {
            Kind::Create => self.create(Warrior::draw(&mut random), index)?,
            Kind::CreateValid => self.create(Warrior::draw_valid(&mut random), index)?,
            Kind::Search => {
                let term = warrior::search_term(&mut random);
                let path = format!(
                    "/warrior?t={}",
                    utf8_percent_encode(&term, NON_ALPHANUMERIC)
                );
                self.get(&path, 200)?
            }
            Kind::SearchWithoutTerm => self.get("/warrior", 400)?,
            Kind::Count => self.get("/counting-warriors", 200)?,
            Kind::Find => match known.len() {
                0 => self.get(&format!("/warrior/{}", random_id(&mut random)), 404)?,
                n => Prepared::get(&self.target, known[random.random_range(0..n)].clone(), 200),
            },
            Kind::OneOf(uris) => {
                let uri = uris[random.random_range(0..uris.len())].clone();
                Prepared::get(&self.target, uri, 200)
            }
            Kind::Custom(custom) => self.custom(custom, index, &mut random)?,
        })
    }

    fn create(&self, drawn: Warrior, index: u64) -> anyhow::Result<Prepared> {
        let warrior = match self.letters {
            Some(letters) => drawn.in_other_letters(&mut stream(letters, self.lane, index)),
            None => drawn,
        };
        Ok(Prepared {
            method: Method::POST,
            uri: self.target.uri("/warrior")?,
            headers: self.headers.clone(),
            body: serde_json::to_vec(&warrior)?.into(),
            expect: Expect::Exactly(warrior.prescribed_status()),
            is_create: true,
        })
    }

    fn get(&self, path: &str, status: u16) -> anyhow::Result<Prepared> {
        Ok(Prepared::get(&self.target, self.target.uri(path)?, status))
    }

    fn custom(
        &self,
        custom: &Custom,
        index: u64,
        random: &mut Pcg64Mcg,
    ) -> anyhow::Result<Prepared> {
        let mut fill = |template: &Template| template.fill(index, random, &custom.rows);
        let body = custom.body.as_ref().map(&mut fill).transpose()?;
        let uri = self.target.uri(&fill(&custom.path)?)?;
        let mut headers = self.headers.clone();
        for (name, value) in &custom.headers {
            let value = HeaderValue::try_from(fill(value)?.into_bytes())
                .with_context(|| format!("header `{name}` cannot hold this value"))?;
            headers.insert(name, value);
        }
        Ok(Prepared {
            method: custom.method.clone(),
            uri,
            headers,
            body: body.unwrap_or_default().into(),
            expect: custom.expect.clone(),
            is_create: false,
        })
    }
}

fn headers(target: &Target, json: bool) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(HOST, target.host.clone());
    if let Some(authorization) = &target.authorization {
        headers.insert(AUTHORIZATION, authorization.clone());
    }
    if json {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    headers
}

fn random_id(random: &mut Pcg64Mcg) -> uuid::Uuid {
    uuid::Builder::from_random_bytes(random.random()).into_uuid()
}

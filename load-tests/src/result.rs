//! The result of a run as JSON. The schema is made from these types (`warrior-load schema`).
//!
//! Durations are microseconds, shares are of one, and absent figures are `null`.

mod read;
mod series;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2Serializer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::series::{MetricKind, Second, SecondRow, ServerMetric};
use crate::database::DatabaseFacts;
use crate::exit::Exit;
use crate::files::FileDigest;
use crate::machine::{Machine, Throttling};
use crate::profile::Unit;
use crate::verify::Verdict;

/// The version of this document; a change that breaks readers raises it.
pub const SCHEMA: u32 = 2;

/// Everything that is known about a run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RunResult {
    /// The version of this document.
    pub schema: u32,
    /// The run's id.
    pub run: String,
    /// When it began (RFC 3339, UTC).
    pub started_at: String,
    /// The setup, which is enough to run it again.
    pub setup: Setup,
    /// How it ended.
    pub exit: Exit,
    /// Whether it says anything about the server.
    pub validity: Validity,
    /// Every threshold.
    pub thresholds: Vec<Judged>,
    /// The verdicts on the ledger, one for each way of verification.
    pub verification: Vec<Verdict>,
    /// The seconds in which requests were begun and measured.
    pub measured_seconds: f64,
    /// The seconds of the whole run as planned, the warm-up among them.
    pub planned_seconds: f64,
    /// Requests of the warm-up, which are in no other figure.
    pub warmup_requests: u64,
    /// All endpoints together.
    pub total: EndpointResult,
    /// Each endpoint.
    pub endpoints: Vec<EndpointResult>,
    /// Second by second.
    pub series: Vec<Second>,
    /// The first examples of what was not as prescribed.
    pub examples: Vec<String>,
    /// CPU time of the generator per request that it sent, in microseconds.
    pub generator_cpu_us_per_request: f64,
    /// The priority of the generator's threads: -10 where the system allows it, else 0.
    pub generator_nice: i32,
    /// The machine that the generator ran on.
    pub machine: Machine,
    /// CPU time that the machine withheld during the run.
    pub throttling: Throttling,
    /// The database, when the generator could ask it.
    pub database: Option<DatabaseFacts>,
    /// The server's own figures of its queues, pools and refusals, where it offered any.
    pub server: Vec<ServerMetric>,
    /// The ledger's file, beside this one.
    pub ledger: Option<String>,
}

/// Whether a run says anything about the server, and what speaks against it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Validity {
    /// Why the run is INVALID; empty when it is not.
    pub invalid: Vec<String>,
    /// Circumstances of the machine that a reader should know.
    pub marks: Vec<String>,
}

/// One threshold and what was measured.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Judged {
    /// The condition as the profile writes it.
    pub threshold: String,
    /// The unit of the limit and of the figure.
    pub unit: Unit,
    /// What the figure is compared with.
    pub limit: f64,
    /// What was measured; `null` when the run has no such figure.
    pub figure: Option<f64>,
    /// Whether the figure meets the condition. A missing figure meets none.
    pub met: bool,
}

/// The setup of a run: enough to run it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Setup {
    /// Version of the generator.
    pub generator: String,
    /// The commit of the work tree that it ran in, with `-dirty` where the tree differed; `null` outside of one.
    pub commit: Option<String>,
    /// Where requests went; credentials in the URL are not kept.
    pub target: String,
    /// Whether the URL had credentials.
    pub credentials: bool,
    /// Whose certificate was trusted, where the target is https.
    pub tls: Option<TlsSetup>,
    /// The profile's name.
    pub profile: String,
    /// One sentence about it.
    pub about: String,
    /// SHA-256 of the profile's text.
    pub profile_digest: String,
    /// The profile's text.
    pub profile_source: String,
    /// The profile's folder, where it names files.
    pub profile_directory: Option<String>,
    /// The files that it names, as they were.
    pub files: Vec<FileDigest>,
    /// Draws everything that is random.
    pub seed: u64,
    /// The divisor of every length of time.
    pub speed: f64,
    /// Generator threads.
    pub threads: usize,
    /// Closed mode by the command line, with this many connections.
    pub connections: Option<usize>,
    /// How late one request in a hundred might begin, by the command line, in microseconds.
    pub lateness_max_us: Option<u64>,
    /// The capacity that rates are multiples of, per second, when it was measured.
    pub capacity: Option<f64>,
    /// `open` or `closed`.
    pub model: String,
}

/// TLS to the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TlsSetup {
    /// Whether the target's certificate was verified; anyone may have answered when it was not.
    pub verified: bool,
    /// The file of the authority that was trusted; the system's authorities when absent.
    pub ca: Option<FileDigest>,
}

/// The figures of one endpoint, or of all.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EndpointResult {
    /// The endpoint's name in the profile.
    pub name: String,
    /// Requests whose moment came.
    pub scheduled: u64,
    /// Requests of which bytes left.
    pub sent: u64,
    /// Requests begun more than a millisecond after their moment.
    pub late: u64,
    /// Answers 503 that were not prescribed.
    pub refused: u64,
    /// Why requests were not sent.
    pub unsent: BTreeMap<String, u64>,
    /// Outcomes of the requests that were sent.
    pub outcomes: BTreeMap<String, u64>,
    /// Requests answered as the contract prescribes.
    pub succeeded: u64,
    /// Their share of all that ended.
    pub success: f64,
    /// How many of them a second.
    pub rate: f64,
    /// Bytes of answers' bodies.
    pub body_bytes: u64,
    /// From the intended moment: prescribed answers, and requests that timed out.
    pub latency: Option<Quantiles>,
    /// From the intended moment: answers that were not the prescribed ones, and cut connections.
    pub latency_failed: Option<Quantiles>,
    /// From the first byte sent to the last received, of prescribed answers.
    pub service: Option<Quantiles>,
    /// Opening a connection.
    pub connect: Option<Quantiles>,
    /// How late the generator began.
    pub lateness: Option<Quantiles>,
    /// `latency` whole: an HdrHistogram (V2, microseconds) in base64.
    pub latency_hdr: String,
}

/// A distribution, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the names are the quantiles, in microseconds")]
pub struct Quantiles {
    /// How many values.
    pub count: u64,
    pub min_us: u64,
    pub mean_us: f64,
    pub p50_us: u64,
    pub p90_us: u64,
    pub p95_us: u64,
    pub p99_us: u64,
    pub p99_9_us: u64,
    pub p99_99_us: u64,
    pub max_us: u64,
}

impl EndpointResult {
    /// Requests that ended in any way but the prescribed one.
    pub fn failed(&self) -> u64 {
        self.outcomes.values().sum::<u64>() + self.unsent.values().sum::<u64>() - self.succeeded
    }

    /// The whole distribution of `latency`.
    pub fn histogram(&self) -> Option<Histogram<u64>> {
        let bytes = BASE64_STANDARD.decode(&self.latency_hdr).ok()?;
        hdrhistogram::serialization::Deserializer::new()
            .deserialize(&mut bytes.as_slice())
            .ok()
    }
}

impl Quantiles {
    /// The quantiles of a histogram; `None` when it is empty.
    pub fn of(histogram: &Histogram<u64>) -> Option<Quantiles> {
        let at = |quantile: f64| histogram.value_at_quantile(quantile);
        (!histogram.is_empty()).then(|| Quantiles {
            count: histogram.len(),
            min_us: histogram.min(),
            mean_us: histogram.mean(),
            p50_us: at(0.5),
            p90_us: at(0.9),
            p95_us: at(0.95),
            p99_us: at(0.99),
            p99_9_us: at(0.999),
            p99_99_us: at(0.9999),
            max_us: histogram.max(),
        })
    }
}

/// A whole distribution as text: HdrHistogram's V2 format in base64.
pub fn encode(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    // Writing to memory cannot fail.
    let _written = V2Serializer::new().serialize(histogram, &mut bytes);
    BASE64_STANDARD.encode(bytes)
}

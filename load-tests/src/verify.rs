//! Verification of a ledger: whether the database holds what the answers promised.
//!
//! Two ways lead to the same verdict: reading every row directly in PostgreSQL, or asking over HTTP
//! alone, so that any server with this contract can be judged.

mod http;
mod postgres;
mod verdict;

use std::path::Path;
use std::time::Duration;

pub use http::{Exclusivity, verify_by_http};
pub use postgres::verify_in_postgres;
pub use verdict::Verdict;

use crate::client;
use crate::database::DatabaseAccess;
use crate::ledger::{self, Attempt, Header};
use crate::target::Target;

/// How often a ledger is judged again, a second apart, while a late commit may explain its count.
const LATE_COMMITS_MAX: u32 = 5;

/// Judges a ledger in every way that is open: by HTTP, and directly when there is access.
///
/// # Errors
/// When the ledger cannot be read, or the server or the database cannot be asked, unless the table alone shows a loss.
pub fn verify_ledger(
    path: &Path,
    target: &Target,
    database: Option<&DatabaseAccess>,
    exclusivity: Exclusivity,
) -> anyhow::Result<Vec<Verdict>> {
    let (header, attempts) = ledger::read(path)?;
    let judge = || {
        let by_http = verify_by_http(target, &header, &attempts, exclusivity);
        let Some(access) = database else {
            return Ok(vec![by_http?]);
        };
        let asked = by_http.and_then(|by_http| Ok((by_http, client::count(target)?)));
        Ok(match asked {
            Ok((by_http, count)) => {
                vec![by_http, verify_directly(access, &header, &attempts, count)?]
            }
            Err(error) => vec![lost_without_server(access, &header, &attempts, error)?],
        })
    };
    once_settled(judge)
}

/// Judges, and again a second apart while a late commit may explain the count.
///
/// # Errors
/// Those of `judge`.
pub(crate) fn once_settled<V: AsRef<[Verdict]>>(
    judge: impl Fn() -> anyhow::Result<V>,
) -> anyhow::Result<V> {
    let mut verdicts = judge()?;
    for _ in 0..LATE_COMMITS_MAX {
        if !verdicts.as_ref().iter().any(Verdict::may_still_settle) {
            break;
        }
        std::thread::sleep(Duration::from_secs(1));
        verdicts = judge()?;
    }
    Ok(verdicts)
}

/// Judges a ledger whose server cannot be asked: the table can prove that a promise was broken, and not that all were kept.
///
/// # Errors
/// `error`, which says why it cannot be asked, where the table proves nothing.
pub(crate) fn lost_without_server(
    access: &DatabaseAccess,
    header: &Header,
    attempts: &[Attempt],
    error: anyhow::Error,
) -> anyhow::Result<Verdict> {
    let verdict = verify_directly(access, header, attempts, None)?;
    match verdict.holds() {
        true => Err(error),
        false => Ok(verdict),
    }
}

/// Judges a ledger in PostgreSQL alone. `count_of_api` is what the API answered at the same time.
///
/// # Errors
/// When the database cannot be read.
pub fn verify_directly(
    access: &DatabaseAccess,
    header: &Header,
    attempts: &[Attempt],
    count_of_api: Option<u64>,
) -> anyhow::Result<Verdict> {
    verify_in_postgres(&mut access.connect()?, header, attempts, count_of_api)
}

//! The comparison of a round's ledger with the table, once what is unknown is settled.

use std::path::Path;
use std::time::{Duration, Instant};

use super::settle::{Settled, settle};
use crate::client;
use crate::database::DatabaseAccess;
use crate::ledger;
use crate::target::Target;
use crate::verify::{Verdict, once_settled, verify_directly};

/// How long a repeat may be tried: longer than it is granted, so that a late one is told from none.
const SETTLE_PATIENCE: Duration = Duration::from_secs(20);

/// Whether rows come in while the table is read, so that its count and the API's are of different moments.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    Alone,
    ByOthersToo,
}

/// Settles what is unknown in a ledger, then compares it with the table.
///
/// # Errors
/// When the ledger or the table cannot be read.
pub(super) fn compare(
    target: &Target,
    database: &DatabaseAccess,
    path: &Path,
    healed: Instant,
    counted: Counted,
) -> anyhow::Result<(Settled, Verdict)> {
    let (header, attempts) = ledger::read(path)?;
    let settled = settle(target, &attempts, healed, SETTLE_PATIENCE);
    let judge = || {
        let verdict = verify_directly(database, &header, &attempts, client::count(target)?)?;
        Ok([verdict])
    };
    let [mut verdict] = once_settled(judge)?;
    if counted == Counted::ByOthersToo {
        verdict.count_expected = None;
    }
    Ok((settled, verdict))
}

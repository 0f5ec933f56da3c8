//! The load of a rehearsal that has to create so many warriors, and nothing else.

use std::path::Path;

use crate::profile::Profile;

/// Creates a second: many in a short time, and few beside what a small machine stores.
const RATE: u64 = 500;

/// A profile of `number` valid creates, all of which have to be acknowledged.
///
/// # Errors
/// When there is none.
pub fn creates(number: u64) -> anyhow::Result<Profile> {
    let microseconds = number.saturating_mul(1_000_000 / RATE);
    let text = format!(
        "name = 'creates'\nabout = '{number} creates, {RATE} a second.'\nthresholds = ['success == 100%', 'lost == 0']\n\
         [[scenario]]\nname = 'create'\nrequest = 'create-valid'\narrivals = [{{ rate = {RATE}, for = '{microseconds}us' }}]\n"
    );
    Profile::parse(&text, Path::new("."))
}

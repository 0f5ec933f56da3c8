//! The closed probe: how much a server answers to a fixed number of connections, measured before a run whose rates are
//! multiples of that. The highest rate that holds an SLO is another figure, which `capacity` looks for.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::config::RunConfig;
use crate::drive::drive;
use crate::exit::NothingWorked;
use crate::output::say;
use crate::profile::{Overrides, Profile, compile};
use crate::target::Target;

/// Separates the requests of the probe from those of the run.
const PROBE_SEED: u64 = 0x5f0b_3d6c;

/// The overrides with what the probe measured, when the profile's rates are multiples of it.
pub(super) fn with_probed_capacity(
    config: &RunConfig,
    target: &Target,
    stop: &Arc<AtomicBool>,
) -> anyhow::Result<Overrides> {
    let mut overrides = config.overrides.clone();
    let Some(closed) = config
        .profile
        .capacity
        .clone()
        .filter(|_| overrides.capacity.is_none())
    else {
        return Ok(overrides);
    };
    let probe = Profile {
        closed: Some(closed),
        warmup: Duration::ZERO,
        ..config.profile.clone()
    };
    // Another seed: rows of the probe that equal rows of the run would look as if they had been
    // stored twice.
    let seed = overrides.seed ^ PROBE_SEED;
    let own = Overrides {
        speed: 1.0,
        seed,
        ..overrides.clone()
    };
    let plan = Arc::new(compile(&probe, target, &own)?);
    let collected = drive(&plan, None, stop, |_, _| {})?;
    let capacity = collected.total().succeeded() as f64 / plan.measured_seconds();
    if capacity == 0.0 {
        let what = "requests that measure the capacity".to_owned();
        let answers = collected.total().outcomes_text();
        return Err(NothingWorked { what, answers }.into());
    }
    say(format_args!("capacity: {capacity:.0} requests a second"));
    overrides.capacity = Some(capacity);
    Ok(overrides)
}

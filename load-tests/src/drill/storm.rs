//! A storm: three times what the server can carry, in the open model, beside the round's own load.

use anyhow::ensure;

use super::load::{Load, closed, open};
use super::rig::Unanswered;
use super::scene::Scene;
use crate::output::say;

/// Connections of the closed probe, which finds what the server carries.
const PROBING: usize = 64;
/// How much more the storm is.
const TIMES: f64 = 3.0;

/// D6: what is let in must be answered, the rest refused, and the round's own load heals after it.
pub(super) fn overload(scene: &mut Scene) -> anyhow::Result<()> {
    let (target, database) = (scene.target.clone(), scene.database());
    let directory = scene.directory().to_owned();
    let load = Load {
        target: &target,
        database: Some(&database),
        directory: &directory,
    };
    let probing = scene.length.of(2, 5);
    let probed = load.whole(&closed(PROBING, probing))?;
    let capacity = probed.collected.total().succeeded() as f64 / f64::from(probing);
    scene.judge_also(&probed, Unanswered::Any, &target, &database)?;
    ensure!(
        capacity >= 1.0,
        "{PROBING} connections had less than one create a second acknowledged, of which three times are no storm"
    );
    let (rate, seconds) = (TIMES * capacity, scene.length.of(5, 60));
    let storm = load.whole(&open(rate, seconds))?;
    let good = storm.collected.total().succeeded() as f64 / f64::from(seconds);
    say(format_args!(
        "D6: {capacity:.0} creates a second by {PROBING} connections; {good:.0} acknowledged of {rate:.0} a second"
    ));
    scene.judge_also(&storm, Unanswered::Any, &target, &database)
}

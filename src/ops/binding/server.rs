//! What binds in this server and before it: processors, workers, clients, queues.

use super::binds;
use super::database::if_cores_are_left;
use super::window::{LaneLoad, SATURATED_WAITING, Window};
use super::wording::{count, doing, percent, seconds, times};
use crate::dispatch::Reason;
use crate::ops::figures::{Binds, Limit};

/// The share of a lane's workers that are busy from which they are all at work: between two batches a worker is not.
const SATURATED_BUSY: f64 = 0.9;

/// The share of the time that a control group may keep this process from its processors before they bind.
const THROTTLED_SHARE: f64 = 0.05;

/// The processors are used up, and what requests take their time with is work of this process.
pub(super) fn cpu(window: &Window<'_>) -> Option<Binds> {
    let (cores, own_cores) = (window.cores(), window.own_cores());
    let busy = window.busy_cores();
    let own = window.mean(|f| f.process.map_or(0.0, |p| p.cpu_seconds));
    let throttled = window.mean(|f| f.machine.and_then(|m| m.throttled_seconds).unwrap_or(0.0));
    if throttled >= THROTTLED_SHARE {
        return Some(binds(
            Limit::MachineCpu,
            format!(
                "This server's CPU limit binds: the control group held it up for {} of the time, at {} of {}; \
                 raise the limit.",
                percent(throttled.min(1.0)),
                count(own),
                times(own_cores, "core"),
            ),
        ));
    }
    let populations = window.populations();
    let waits = window.waits();
    // Where PostgreSQL does not tell, its share of the machine cannot be told from this server's.
    let at_work = waits.all() == 0.0 || waits.of("cpu") >= waits.all() / 2.0;
    let ours = populations.own >= populations.database || own >= 0.25 * own_cores;
    let wanted = saturated(window).is_some() || populations.own >= SATURATED_WAITING;
    (busy >= 0.95 * cores && at_work && ours && wanted).then(|| {
        binds(
            Limit::MachineCpu,
            format!(
                "The machine's processors bind: {} of {} are busy, {} of them with this server; add cores, or take \
                 other work off the machine. More workers would only wait, too.",
                count(busy),
                times(cores, "core"),
                count(own),
            ),
        )
    })
}

/// All workers of a lane are busy, and requests wait for them.
pub(super) fn workers(window: &Window<'_>) -> Option<Binds> {
    let load = saturated(window)?;
    let lane = &load.lane.lane;
    let workers = load.lane.workers;
    Some(binds(
        Limit::Workers,
        format!(
            "The workers of {lane} bind: {} for {}, {} each; raise WORKERS_{}{}.",
            doing(load.waiting, "request", "waits", "wait"),
            match workers {
                1 => format!("1 worker that is {} busy", percent(load.busy)),
                n => format!("{n} workers that are {} busy", percent(load.busy)),
            },
            seconds(load.wait_seconds.max(load.lane.oldest_batch_seconds)),
            lane.to_uppercase(),
            if_cores_are_left(window),
        ),
    ))
}

/// Answers are held by clients that take them slowly: more than anything else that is done, or until no memory is left
/// for those of others.
pub(super) fn clients(window: &Window<'_>) -> Option<Binds> {
    let populations = window.populations();
    let refused = window.refused(Reason::NoMemory);
    let most = populations.write >= populations.database + populations.own;
    if refused == 0 && !(most && populations.write >= SATURATED_WAITING) {
        return None;
    }
    let harm = match refused {
        0 => "They hold nobody else up; more memory (MEMORY_LIMIT_MIB) would hold more of them"
            .to_owned(),
        n => format!(
            "They left no memory for {}: raise MEMORY_LIMIT_MIB, or put a proxy before the server that takes \
             answers at once",
            times(n as f64, "request")
        ),
    };
    Some(binds(
        Limit::Clients,
        format!(
            "Slow clients bind: {} not taken yet, against {} at the database. {harm}.",
            doing(populations.write, "answer", "is", "are"),
            times(populations.database, "request"),
        ),
    ))
}

/// Requests were refused at the door although workers were free, before and after: a burst.
pub(super) fn queue(window: &Window<'_>) -> Option<Binds> {
    let (full, late) = (
        window.refused(Reason::QueueFull),
        window.refused(Reason::TooLate),
    );
    let most = window.now.lanes.iter().map(|l| l.queue_max).max()?;
    if full > 0 {
        return Some(binds(
            Limit::Queue,
            format!(
                "The queue binds: {} came while {most} waited already; raise QUEUE_MAX, or let clients come more \
                 evenly.",
                times(full as f64, "request"),
            ),
        ));
    }
    (late > 0).then(|| {
        binds(
            Limit::Queue,
            format!(
                "The deadline binds: {} would have waited beyond it (REQUEST_DEADLINE_MS); statements have become \
                 slow, or clients come in bursts.",
                times(late as f64, "request"),
            ),
        )
    })
}

/// The lane with the most requests that wait for workers none of which is free.
fn saturated<'f>(window: &Window<'f>) -> Option<LaneLoad<'f>> {
    let is_full =
        |load: &LaneLoad<'_>| load.waiting >= SATURATED_WAITING && load.busy >= SATURATED_BUSY;
    let lanes = window.lanes().into_iter().filter(is_full);
    lanes.max_by(|a, b| a.waiting.total_cmp(&b.waiting))
}

//! Two servers on one database.

use std::thread;

use super::judge::Invariant;
use super::probe;
use super::scene::Scene;

/// D10: the same create with the same key goes to two servers at once: one row, one place.
pub(super) fn same_key(scene: &mut Scene) -> anyhow::Result<()> {
    let twin = scene.start_twin()?;
    let (one, other) = (scene.target.clone(), twin.target.clone());
    scene.wait_until("the second server is ready", |_| {
        Ok(probe::status(&twin.admin, "/ready") == Some(200))
    })?;
    let (mut both, mut rows) = (0, 0);
    let mut admin = scene.superuser()?;
    for number in 0..scene.length.of(100, 2_000) {
        let name = format!("twin {}", uuid::Uuid::new_v4());
        let warrior = format!(r#"{{"name":"{name}","dob":"1990-01-31","fight_skills":["drill"]}}"#);
        let key = format!("drill-{}", uuid::Uuid::new_v4());
        let (here, there) = thread::scope(|scope| {
            let there = scope.spawn(|| probe::create(&other, &warrior, Some(&key)));
            (probe::create(&one, &warrior, Some(&key)), there.join())
        });
        let places: Vec<_> = [here.ok(), there.ok().and_then(Result::ok)]
            .into_iter()
            .flatten()
            .filter(|reply| reply.status == 201)
            .map(|reply| reply.location)
            .collect();
        both += u32::from(places.len() == 2);
        let stored: i64 = admin
            .query_one("select count(*) from warrior where name = $1", &[&name])?
            .get(0);
        rows += stored;
        if stored > 1 || places.windows(2).any(|pair| pair[0] != pair[1]) {
            let what = format!("key {number} has {stored} rows, and was placed at {places:?}");
            scene.breach(Invariant::I3, what);
        }
    }
    scene.demand(both > 0 && rows > 0, || {
        "no key was acknowledged by both servers".to_owned()
    });
    twin.stop()
}

//! Full disks: file systems in memory of the drill's own, filled and freed.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use anyhow::ensure;
use warrior_stack::layout;

use super::isolation;
use super::probe;
use super::scene::Scene;

/// The disk of the write-ahead log, whose files have 16 MiB each, and what is left free of it.
const WAL_MIB: u32 = 256;
const WAL_LEFT: u64 = 20 << 20;
/// The disk of the table.
const DATA_MIB: u32 = 96;

/// A8: the disk of the write-ahead log is full, so PostgreSQL ends; it is freed, and PostgreSQL started.
pub(super) fn log_full(scene: &mut Scene) -> anyhow::Result<()> {
    let cluster = layout::cluster(&scene.endpoints().data);
    let (small, large) = (cluster.join("pg_wal"), cluster.join("pg_wal.large"));
    scene.cluster.command("stop postgres")?;
    isolation::small_disk(WAL_MIB, &cluster)?;
    fs::rename(&small, &large)?;
    symlink(isolation::SMALL_DISK, &small)?;
    let content = large.join(".");
    let copied = Command::new("cp")
        .arg("-a")
        .arg(content)
        .arg(isolation::SMALL_DISK)
        .status()?;
    ensure!(
        copied.success(),
        "the log cannot be moved to the small disk"
    );
    scene.cluster.start()?;
    scene.heals();
    let ballast = Path::new(isolation::SMALL_DISK).join("ballast");
    fill(&ballast, WAL_LEFT)?;
    let mut admin = scene.superuser()?;
    for _ in 0..4 {
        // Files end early, so that the disk is full soon; the server may have ended by then.
        admin
            .simple_query("select pg_logical_emit_message(false, 'drill', 'x'), pg_switch_wal()")
            .ok();
    }
    scene.hold_unready(scene.seconds(5.0, 20.0));
    fs::remove_file(&ballast)?;
    scene.cluster.start()?;
    Ok(())
}

/// A8: the disk of the table is full (53100): creates are refused, and all else is answered.
pub(super) fn table_full(scene: &mut Scene) -> anyhow::Result<()> {
    isolation::small_disk(DATA_MIB, &layout::cluster(&scene.endpoints().data))?;
    let mut admin = scene.superuser()?;
    // CREATE TABLESPACE takes no parameters; the path is the drill's own.
    let place = isolation::SMALL_DISK;
    admin.batch_execute(&format!("create tablespace small location '{place}'"))?;
    admin.batch_execute("alter table warrior set tablespace small")?;
    scene.heals();
    let ballast = Path::new(isolation::SMALL_DISK).join("ballast");
    fill(&ballast, 0)?;
    let target = scene.target.clone();
    scene.wait_until("a create is refused", |_| {
        let created = probe::create(&target, &probe::warrior(), None)?;
        Ok(created.status == 503)
    })?;
    std::thread::sleep(scene.seconds(3.0, 10.0));
    let counted = probe::status(&target, "/counting-warriors");
    scene.demand(counted == Some(200), || {
        format!("with a full disk the count is {counted:?}")
    });
    let found = probe::status(&target, "/warrior?t=nobody");
    scene.demand(found == Some(200), || {
        format!("with a full disk a search is {found:?}")
    });
    fs::remove_file(&ballast)?;
    Ok(())
}

/// Fills the disk but for some bytes.
fn fill(ballast: &Path, left: u64) -> anyhow::Result<()> {
    let mut file = File::create(ballast)?;
    let block = vec![0; 64 << 10];
    loop {
        match file.write(&block) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::StorageFull => break,
            Err(error) => return Err(error.into()),
        }
    }
    let length = file.metadata()?.len();
    file.set_len(length.saturating_sub(left))?;
    Ok(())
}

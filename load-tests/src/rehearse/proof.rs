//! The proof of a rehearsal: what has to be so before it may say that the way is open.

use anyhow::{Context, bail};

use crate::client;
use crate::exit::Exit;
use crate::judge;
use crate::output::say;
use crate::target::Target;
use crate::verify::Verdict;
use crate::workload::Prepared;

const KEY: &str = "warrior-load-rehearse";
const WARRIOR: &[u8] = br#"{"name":"Rehearsal","dob":"2000-01-01","fight_skills":["patience"]}"#;

/// Creates the warrior of the one key, and gives its id: the same one before and after a switch, or a client that
/// repeats a create over the switch stores it twice.
pub(super) fn create_with_the_key(target: &Target) -> anyhow::Result<String> {
    let request = Prepared::keyed_create(target, target.uri("/warrior")?, KEY, WARRIOR);
    let answer = client::send(target, &request)?;
    if answer.status != 201 {
        let said = String::from_utf8_lossy(&answer.body);
        bail!("a create with a key was answered {}: {said}", answer.status);
    }
    let location = answer.location.context("a 201 has no Location")?;
    let id = location.rsplit('/').next().unwrap_or(&location);
    Ok(id.to_owned())
}

/// What the file's server has told about the ledger, and about its rows beside the `in_postgresql` that the drained
/// PostgreSQL has, all of the file's among them.
pub(super) fn judged(verdicts: &[Verdict], in_postgresql: u64) -> Exit {
    if verdicts.iter().any(|verdict| !verdict.holds()) {
        return Exit::Lost;
    }
    let in_file = verdicts.iter().find_map(|verdict| verdict.count_by_api);
    if in_file.is_some_and(|in_file| in_file != in_postgresql) {
        let in_file = in_file.unwrap_or_default();
        say(format_args!(
            "PostgreSQL has {in_postgresql} warriors, and the file that was exported from it {in_file}"
        ));
        return Exit::Lost;
    }
    let Some(why) = unproven(verdicts) else {
        return Exit::Passed;
    };
    say(format_args!("nothing is proved: {why}"));
    Exit::Invalid
}

/// Why nothing is known to be lost, and nothing to be there either.
fn unproven(verdicts: &[Verdict]) -> Option<String> {
    if let Some(why) = judge::unproven(verdicts) {
        return Some(why);
    }
    if verdicts.iter().all(|verdict| verdict.present == 0) {
        return Some("no create was acknowledged, so none was read back".to_owned());
    }
    let undetermined: u64 = verdicts.iter().map(|verdict| verdict.undetermined).sum();
    if undetermined > 0 {
        return Some(format!("{undetermined} creates could not be settled"));
    }
    let counted = |verdict: &Verdict| verdict.count_agrees() == Some(true);
    (!verdicts.iter().all(counted)).then(|| "the count could not be compared".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict() -> Verdict {
        Verdict {
            way: "http".to_owned(),
            creates: 3,
            acknowledged: 3,
            present: 3,
            count_by_api: Some(5),
            count_expected: Some(5),
            ..Verdict::default()
        }
    }

    #[test]
    fn only_what_was_read_back_passes() {
        let exit = |change: fn(&mut Verdict), in_postgresql| {
            let mut verdict = verdict();
            change(&mut verdict);
            judged(&[verdict], in_postgresql)
        };
        assert_eq!(exit(|_| {}, 5), Exit::Passed);
        assert_eq!(exit(|_| {}, 6), Exit::Lost);
        assert_eq!(exit(|v| v.count_expected = Some(6), 5), Exit::Lost);
        assert_eq!(exit(|v| v.count_by_api = None, 5), Exit::Invalid);
        assert_eq!(exit(|v| v.undetermined = 1, 5), Exit::Invalid);
        assert_eq!(exit(|v| v.present = 2, 5), Exit::Invalid);
        let none = |v: &mut Verdict| (v.acknowledged, v.present) = (0, 0);
        assert_eq!(exit(none, 5), Exit::Invalid);
        assert_eq!(judged(&[], 5), Exit::Invalid);
    }
}

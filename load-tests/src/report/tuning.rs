//! The report of tuning: a few lines, Markdown, and the page with a curve for each size.

mod page;

use std::fmt::Write;
use std::path::{Path, PathBuf};

pub use page::tuning_page;

use crate::files::write_whole;
use crate::output::{micros, one_line};
use crate::text_table::Column::{Figure, Text};
use crate::text_table::text_table;
use crate::tune::{Ending, Proof, Ratio, Tuning};

/// Writes JSON, Markdown, page and, where something changes, the diff into a directory; where the page is.
///
/// # Errors
/// When a file cannot be written.
pub fn write_tuning(tuning: &Tuning, directory: &Path) -> anyhow::Result<PathBuf> {
    let file = |extension: &str| directory.join(format!("{}.{extension}", tuning.id));
    let json = serde_json::to_string_pretty(tuning)? + "\n";
    write_whole(&file("json"), &json)?;
    write_whole(&file("md"), &tuning_markdown(tuning))?;
    if !tuning.diff.is_empty() {
        write_whole(&file("diff"), &tuning.diff)?;
    }
    write_whole(&file("html"), &tuning_page(tuning))?;
    Ok(file("html"))
}

/// The result in some lines, for a terminal.
pub fn tuning_lines(tuning: &Tuning) -> String {
    let mut lines = vec![format!("{}: {}", tuning.exit, headline(tuning))];
    lines.extend(because(tuning));
    let verified = tuning.verification.as_ref();
    lines.extend(verified.map(|verdict| format!("{} (by {})", verdict.headline(), verdict.way)));
    lines.extend(tuning.invalid.iter().map(|why| format!("INVALID: {why}")));
    lines.extend(tuning.marks.iter().map(|mark| format!("note: {mark}")));
    if !tuning.diff.is_empty() {
        lines.push(format!("\n{}", tuning.diff.trim_end()));
    }
    lines.push(next(tuning));
    lines.join("\n")
}

/// Whether something changes, and what.
fn headline(tuning: &Tuning) -> String {
    let (current, chosen) = (tuning.current, tuning.chosen);
    match (current == chosen, tuning.ending) {
        (true, Ending::NothingBetter) if tuning.again.is_none() && tuning.invalid.is_empty() => {
            format!(
                "leave it: {current}. No neighbour is better by 10 % beyond chance at {:.0} requests a second",
                tuning.rate
            )
        }
        (true, _) => format!("nothing is proved to be better than {current}"),
        (false, _) => format!("{chosen}, instead of {current}"),
    }
}

/// The reasons, a sentence each.
fn because(tuning: &Tuning) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Some(again) = &tuning.again {
        let what = match tuning.chosen == tuning.current {
            true => {
                "what the search preferred is not proved to be better when it is measured again"
            }
            false => "measured again",
        };
        sentences.push(format!(
            "{what} at {:.0} requests a second: {}",
            tuning.rate,
            ratio_text(again)
        ));
    }
    sentences.extend(tuning.lanes.iter().map(|lane| lane.sentence()));
    sentences.extend(tuning.bound.iter().cloned());
    if let Some(past) = &tuning.past_the_pooler {
        let verdict = match past.interval {
            (_, high) if high < 1.0 => "is quicker",
            (low, _) if low > 1.0 => "is slower",
            _ => "makes no difference that shows",
        };
        sentences.push(format!(
            "past PgBouncer this load {verdict}: {}",
            ratio_text(past)
        ));
    }
    if tuning.ending == Ending::BudgetEnded && tuning.chosen != tuning.current {
        sentences.push("the budget ended before the search did: more may be had".to_owned());
    }
    sentences
}

fn ratio_text(ratio: &Ratio) -> String {
    format!(
        "p99 {} instead of {} (ratio {:.2}, 95 % interval {:.2} to {:.2}, {} pairs)",
        micros(ratio.after_us as u64),
        micros(ratio.before_us as u64),
        ratio.ratio,
        ratio.interval.0,
        ratio.interval.1,
        ratio.pairs
    )
}

fn next(tuning: &Tuning) -> String {
    if let Some(undo) = &tuning.undo {
        return format!(
            "written: {}; `{undo}` gives back what was there, byte for byte",
            tuning.applied.join(", ")
        );
    }
    match tuning.diff.is_empty() {
        true => "nothing changes".to_owned(),
        false => "the same command with --apply writes this, with a copy of each file beside it"
            .to_owned(),
    }
}

/// For a pull request.
pub fn tuning_markdown(tuning: &Tuning) -> String {
    let mut text = format!(
        "## {}: sizes of {}\n\n{}.\n",
        tuning.exit,
        tuning.stack,
        headline(tuning)
    );
    // Writing to a string cannot fail.
    let _written = rest_of_markdown(&mut text, tuning);
    text
}

fn rest_of_markdown(text: &mut String, tuning: &Tuning) -> std::fmt::Result {
    writeln!(text)?;
    for sentence in because(tuning) {
        writeln!(text, "- {sentence}")?;
    }
    for why in &tuning.invalid {
        writeln!(text, "\n**INVALID**: {}", one_line(why))?;
    }
    if !tuning.diff.is_empty() {
        writeln!(text, "\n```diff\n{}```", tuning.diff)?;
    }
    let columns = [Text("formula"), Figure("says"), Figure("chosen")];
    let formulas = tuning.formulas.iter().map(|formula| {
        [
            formula.name.to_string(),
            formula.value.to_string(),
            formula.chosen.to_string(),
        ]
    });
    write!(text, "\n{}", text_table(columns, formulas))?;
    let columns = [
        Text("step"),
        Figure("p99 as a share"),
        Figure("95 % interval"),
        Text("taken"),
    ];
    let proofs = tuning.proofs.iter().map(|proof| {
        [
            format!("{} → {}", proof.from, proof.to),
            format!("{:.2}", proof.ratio),
            format!("{:.2} .. {:.2}", proof.interval.0, proof.interval.1),
            taken(proof).to_owned(),
        ]
    });
    write!(text, "\n{}", text_table(columns, proofs))?;
    if let Some(verdict) = &tuning.verification {
        writeln!(text, "\n```text\n{verdict}\n```")?;
    }
    for mark in &tuning.marks {
        writeln!(text, "\n> Note: {}.", one_line(mark))?;
    }
    let machine = &tuning.machine;
    writeln!(
        text,
        "\n<sub>{} · {:.0} s · seed {} · {} CPUs ({}) · commit {} · profile {} {}</sub>",
        tuning.started_at,
        tuning.seconds,
        tuning.seed,
        machine.cpus,
        machine.cpu_model,
        tuning.commit.as_deref().unwrap_or("-"),
        one_line(&tuning.profile),
        tuning.profile_digest.chars().take(12).collect::<String>()
    )
}

fn taken(proof: &Proof) -> &'static str {
    if proof.taken { "yes" } else { "no" }
}

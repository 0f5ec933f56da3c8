//! Findings: what was seen, why it matters, and the command that mends it; and the report that they make.

use std::fmt;

use serde::Serialize;

/// The importance of a finding, the greatest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// What the API promises does not hold, or may not after the next crash.
    BrokenPromise,
    /// Requests fail, or will.
    WillFail,
    /// Requests take longer than they have to.
    Slow,
    /// It works, and could be safer or simpler.
    Advice,
}

/// What can be wrong.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Kind {
    /// Its name, which stays.
    pub name: &'static str,
    /// How important it is.
    pub level: Level,
    /// Why it matters.
    pub why: &'static str,
}

/// Something that is wrong.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What it is.
    #[serde(flatten)]
    pub kind: &'static Kind,
    /// What was seen, with its figures.
    pub seen: String,
    /// The command that mends it, or what to change where no command can.
    pub mend: String,
}

/// Something that could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unseen {
    /// What.
    pub what: &'static str,
    /// Why, and what would let it be seen.
    pub why: String,
    /// Whether nobody can be called healthy who has not seen it.
    pub essential: bool,
}

/// What was found; as JSON its shape is that of docs/OPERATIONS.md.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The version of this shape: fields may be added, and none is taken away or given another meaning.
    pub format: u32,
    /// What was looked at.
    pub place: String,
    /// Whether the database could be reached as requests reach it.
    pub reached: bool,
    /// Whether there are no findings, and nothing essential is unseen.
    pub healthy: bool,
    /// By importance.
    pub findings: Vec<Finding>,
    /// Findings that the operator knows and has accepted.
    pub accepted: Vec<Finding>,
    /// What could not be looked at.
    pub unseen: Vec<Unseen>,
    /// What is no fault, and good to know.
    pub notes: Vec<String>,
}

impl Kind {
    /// A finding of this kind.
    pub(super) fn finding(
        &'static self,
        seen: impl Into<String>,
        mend: impl Into<String>,
    ) -> Finding {
        Finding {
            kind: self,
            seen: seen.into(),
            mend: mend.into(),
        }
    }
}

impl Unseen {
    /// Something without which nothing can be called healthy.
    pub(super) fn new(what: &'static str, why: impl fmt::Display) -> Self {
        Self {
            what,
            why: why.to_string(),
            essential: true,
        }
    }

    /// Something that is good to see, and that other means watch.
    pub(super) fn beside(what: &'static str, why: impl fmt::Display) -> Self {
        Self {
            essential: false,
            ..Self::new(what, why)
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BrokenPromise => "broken promise",
            Self::WillFail => "will fail",
            Self::Slow => "slow",
            Self::Advice => "advice",
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.place)?;
        for finding in &self.findings {
            let Kind { name, level, why } = finding.kind;
            writeln!(f, "\n{level}: {name}\n  seen  {}", indented(&finding.seen))?;
            writeln!(f, "  why   {why}\n  mend  {}", indented(&finding.mend))?;
        }
        section(
            f,
            "accepted",
            self.accepted
                .iter()
                .map(|a| format!("{}: {}", a.kind.name, a.seen)),
        )?;
        section(
            f,
            "not looked at",
            self.unseen.iter().map(|u| format!("{}: {}", u.what, u.why)),
        )?;
        section(f, "good to know", self.notes.iter().cloned())?;
        let left_out = match self.unseen.len() {
            0 => String::new(),
            number => format!("; {number} not looked at"),
        };
        match self.findings.len() {
            0 if self.healthy => write!(f, "\nhealthy: nothing was found{left_out}"),
            0 => write!(f, "\nnothing was found in what was seen{left_out}"),
            1 => write!(f, "\n1 finding{left_out}"),
            number => write!(f, "\n{number} findings{left_out}"),
        }
    }
}

fn section(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    lines: impl Iterator<Item = String>,
) -> fmt::Result {
    for (number, line) in lines.enumerate() {
        if number == 0 {
            writeln!(f, "\n{title}")?;
        }
        writeln!(f, "  {}", indented(&line))?;
    }
    Ok(())
}

/// Lines below the first one are indented. Control characters, which names of roles and transactions may hold, are escaped:
/// the terminal would obey them.
fn indented(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown += "\n        ",
            c if c.is_control() => shown.extend(c.escape_default()),
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::indented;

    #[test]
    fn control_characters_of_names_reach_no_terminal() {
        assert_eq!(
            indented("a\u{1b}[2J\u{9b}b\nc"),
            "a\\u{1b}[2J\\u{9b}b\n        c"
        );
    }
}

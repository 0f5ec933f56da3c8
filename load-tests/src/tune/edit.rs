//! Editing of configuration files by line: one value changes, and every other byte stays.

use anyhow::{Context, bail};

/// A file's lines with their ends, as they were and as they will be.
#[derive(Clone, Debug)]
pub(super) struct Edited {
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
struct Line {
    /// None for a line that is new.
    old: Option<String>,
    new: String,
}

/// How a file writes its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// `NAME=value`, as compose reads it.
    Env,
    /// `key = value` within `[pgbouncer]`.
    PgBouncer,
    /// `key = value`, as PostgreSQL reads it.
    PostgreSql,
}

impl Edited {
    pub(super) fn of(text: &str) -> Edited {
        let lines = text.split_inclusive('\n').map(|line| Line {
            old: Some(line.to_owned()),
            new: line.to_owned(),
        });
        Edited {
            lines: lines.collect(),
        }
    }

    /// The number that a setting has; none where it is not set.
    ///
    /// # Errors
    /// When it is set to something else than a number.
    pub(super) fn number(&self, syntax: Syntax, name: &str) -> anyhow::Result<Option<u32>> {
        let Some(line) = self.last(syntax, name) else {
            return Ok(None);
        };
        let text = &self.lines[line].new;
        let (_, value, _) = parts(text, syntax, name).context("the line was found by its name")?;
        let value = value.trim_matches(['"', '\'']);
        if value.is_empty() && syntax == Syntax::Env {
            return Ok(None);
        }
        let Ok(number) = value.parse() else {
            bail!("{name} is `{value}`; want a whole number to tune from");
        };
        Ok(Some(number))
    }

    /// The text that a setting of `.env` has; none where it is not set, or to nothing.
    pub(super) fn text_of(&self, name: &str) -> Option<String> {
        let place = self.last(Syntax::Env, name)?;
        let (_, value, _) = parts(&self.lines[place].new, Syntax::Env, name)?;
        let value = value.trim_matches(['"', '\'']);
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// Whether a setting of `.env` leaves the number to the server.
    pub(super) fn is_auto(&self, name: &str) -> bool {
        self.text_of(name).is_some_and(|value| value == "auto")
    }

    /// Sets a number where the file sets it last, or at its end. A last line without an end stays as it is, with the new one
    /// before it: a diff would show it, and it may hold a password.
    pub(super) fn set(&mut self, syntax: Syntax, name: &str, value: u32) {
        let found = self.last(syntax, name);
        let replaced = found.and_then(|place| {
            let (before, _, after) = parts(&self.lines[place].new, syntax, name)?;
            Some((place, format!("{before}{value}{after}")))
        });
        if let Some((place, line)) = replaced {
            self.lines[place].new = line;
            return;
        }
        let end = if self.lines.iter().any(|line| line.new.ends_with("\r\n")) {
            "\r\n"
        } else {
            "\n"
        };
        let line = match syntax {
            Syntax::Env => format!("{name}={value}{end}"),
            Syntax::PgBouncer | Syntax::PostgreSql => format!("{name} = {value}{end}"),
        };
        let mut place = self.end_of_settings(syntax);
        if let Some(before) = place.checked_sub(1)
            && !self.lines[before].new.ends_with('\n')
        {
            if stands_alone(&self.lines[before].new) {
                place = before;
            } else {
                self.lines[before].new.push_str(end);
            }
        }
        let new = Line {
            old: None,
            new: line,
        };
        self.lines.insert(place, new);
    }

    /// The file as it will be.
    pub(super) fn text(&self) -> String {
        self.lines.iter().map(|line| line.new.as_str()).collect()
    }

    /// A unified diff, as `patch` takes it; empty where nothing changes. It goes into reports, so the lines around a change
    /// are left out: those of a `.env` may hold passwords.
    pub(super) fn diff(&self, name: &str) -> String {
        let is_changed = |line: &Line| line.old.as_ref() != Some(&line.new);
        let changed = (0..self.lines.len()).filter(|place| is_changed(&self.lines[*place]));
        let mut hunks: Vec<(usize, usize)> = Vec::new();
        for place in changed {
            match hunks.last_mut() {
                Some(last) if place == last.1 => last.1 = place + 1,
                _ => hunks.push((place, place + 1)),
            }
        }
        if hunks.is_empty() {
            return String::new();
        }
        let mut text = format!("--- {name}\n+++ {name}\n");
        for (from, to) in hunks {
            text.push_str(&self.hunk(from, to));
        }
        text
    }

    fn hunk(&self, from: usize, to: usize) -> String {
        let old = |lines: &[Line]| lines.iter().filter(|line| line.old.is_some()).count();
        let (before, within) = (old(&self.lines[..from]), old(&self.lines[from..to]));
        // A range without lines is numbered by the line before it.
        let start = if within == 0 { before } else { before + 1 };
        let mut text = format!("@@ -{start},{within} +{},{} @@\n", from + 1, to - from);
        let mut push = |sign: char, line: &str| {
            text.push(sign);
            text.push_str(line);
            if !line.ends_with('\n') {
                text.push_str("\n\\ No newline at end of file\n");
            }
        };
        for line in &self.lines[from..to] {
            if let Some(old) = &line.old {
                push('-', old);
            }
            push('+', &line.new);
        }
        text
    }

    /// The last line that sets a name, which is the one that counts.
    fn last(&self, syntax: Syntax, name: &str) -> Option<usize> {
        let mut section = String::new();
        let mut found = None;
        for (place, line) in self.lines.iter().enumerate() {
            if syntax == Syntax::PgBouncer && line.new.trim_start().starts_with('[') {
                section = line.new.trim().to_owned();
            }
            let is_here = syntax != Syntax::PgBouncer || section == "[pgbouncer]";
            if is_here && parts(&line.new, syntax, name).is_some() {
                found = Some(place);
            }
        }
        found
    }

    /// Where a new setting goes: the end of the file, or of the section `[pgbouncer]`.
    fn end_of_settings(&self, syntax: Syntax) -> usize {
        let is_section = |line: &Line| line.new.trim_start().starts_with('[');
        let mut places = 0..self.lines.len();
        let begin = places.position(|place| self.lines[place].new.trim() == "[pgbouncer]");
        match begin {
            Some(begin) if syntax == Syntax::PgBouncer => {
                let rest = &self.lines[begin + 1..];
                let length = rest.iter().position(is_section).unwrap_or(rest.len());
                begin + 1 + length
            }
            _ => self.lines.len(),
        }
    }
}

/// Whether a line is a comment, or a setting whose quotes end where they begin: not the end of a value of several lines.
fn stands_alone(line: &str) -> bool {
    let line = line.trim();
    let name = line.split('=').next().unwrap_or(line);
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_. ".contains(c);
    let is_setting = name.len() < line.len() && !name.is_empty() && name.chars().all(is_name);
    let closes = |quote| line.matches(quote).count().is_multiple_of(2);
    line.starts_with(['#', ';']) || is_setting && closes('"') && closes('\'')
}

/// A line that sets `name`: what stands before its value, the value, and what stands after it.
fn parts<'l>(line: &'l str, syntax: Syntax, name: &str) -> Option<(&'l str, &'l str, &'l str)> {
    let trimmed = line.trim_start();
    let trimmed = match syntax {
        Syntax::Env => trimmed
            .strip_prefix("export ")
            .map_or(trimmed, str::trim_start),
        Syntax::PgBouncer | Syntax::PostgreSql => trimmed,
    };
    let rest = trimmed.strip_prefix(name)?.trim_start();
    let rest = match (rest.strip_prefix('='), syntax) {
        (Some(rest), _) => rest.trim_start_matches([' ', '\t']),
        // PostgreSQL does without the sign.
        (None, Syntax::PostgreSql)
            if !rest.is_empty() && rest.len() < trimmed.len() - name.len() =>
        {
            rest
        }
        (None, _) => return None,
    };
    let value = match syntax {
        // PgBouncer takes whatever stands on the line.
        Syntax::PgBouncer => rest,
        Syntax::Env => rest.split(" #").next().unwrap_or(rest),
        Syntax::PostgreSql => rest.split('#').next().unwrap_or(rest),
    };
    let value = value.trim_end();
    let begin = line.len() - rest.len();
    Some((&line[..begin], value, &line[begin + value.len()..]))
}

#[cfg(test)]
mod tests;

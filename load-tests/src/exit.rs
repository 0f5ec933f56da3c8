//! Exit codes: how a run of a measuring program ended.

use std::fmt;
use std::process::ExitCode;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::output::print_error;
use crate::target::Unreachable;

/// How a program run ended, as its exit code. The numbers are documented and do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Exit {
    /// Everything held.
    Passed = 0,
    /// Wrong arguments, profile or file; or results that cannot be written.
    Usage = 1,
    /// The target could not be reached.
    Unreachable = 2,
    /// A threshold was missed, nothing was answered as prescribed, or a stored result was not
    /// reproduced.
    ThresholdMissed = 3,
    /// `compare`: B is worse than A.
    Worse = 4,
    /// A promise of the ledger was broken.
    Lost = 5,
    /// The run says nothing about the server.
    Invalid = 6,
}

/// Nothing was answered as prescribed, so there is no figure.
#[derive(Debug, thiserror::Error)]
#[error("nothing worked: not one of the {what} was answered as prescribed ({answers})")]
pub struct NothingWorked {
    /// The requests, for reading.
    pub what: String,
    /// The answers that came instead.
    pub answers: String,
}

/// Ctrl-C came before the end.
#[derive(Debug, thiserror::Error)]
#[error("interrupted before its end")]
pub struct Interrupted;

/// A stored result says that a promise was broken, so that nothing is made of it.
#[derive(Debug, thiserror::Error)]
#[error("a promise was broken: {0}")]
pub struct PromiseBroken(pub String);

impl Exit {
    /// The code of a run that ended in an error: there is no result.
    pub fn of_error(error: &anyhow::Error) -> Exit {
        if error.is::<PromiseBroken>() {
            Exit::Lost
        } else if error.is::<Unreachable>() {
            Exit::Unreachable
        } else if error.is::<NothingWorked>() {
            Exit::ThresholdMissed
        } else if error.is::<Interrupted>() {
            Exit::Invalid
        } else {
            Exit::Usage
        }
    }

    /// The code of a search that an error ended: what was measured says nothing, unless the error says what is wrong with
    /// the server. A promise that its ledger shows to be broken goes before.
    pub fn of_search_error(error: &anyhow::Error) -> Exit {
        match Exit::of_error(error) {
            Exit::Usage => Exit::Invalid,
            exit => exit,
        }
    }

    /// A verdict stands without its files, a pass does not.
    pub fn with_files(self, written: anyhow::Result<()>) -> Exit {
        let Err(error) = written else {
            return self;
        };
        print_error(&error);
        match self {
            Exit::Passed => Exit::Usage,
            verdict => verdict,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Whether the result may be trusted and passed, in one word.
impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Exit::Passed => "PASSED",
            Exit::Usage => "USAGE",
            Exit::Unreachable => "UNREACHABLE",
            Exit::ThresholdMissed => "THRESHOLD MISSED",
            Exit::Worse => "WORSE",
            Exit::Lost => "PROMISE BROKEN",
            Exit::Invalid => "INVALID",
        })
    }
}

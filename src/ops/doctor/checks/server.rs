//! A running server: whether it is ready, and what binds now.

use super::super::catalogue as kind;
use super::super::evidence::{Binds, Server};
use super::super::finding::Finding;

/// Used-up processors, as `/figures` calls that limit.
const BUSY: &str = "machine-cpu";

pub(super) fn check(server: &Server) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(why) = &server.not_ready {
        findings.push(kind::SERVER_NOT_READY.finding(
            why,
            "mend what is found beside this; where that is nothing, its log says more",
        ));
    }
    if let Some(binds) = binds(server).filter(|binds| binds.limit != BUSY) {
        findings.push(kind::BINDS.finding(
            &binds.sentence,
            "do what it says; the page at / of the admin listener shows each pool beside its limit",
        ));
    }
    findings
}

/// A machine that is busy for a moment, with whatever runs beside the server, is no fault of the stack.
pub(super) fn notes(server: &Server) -> Option<String> {
    let binds = binds(server).filter(|binds| binds.limit == BUSY)?;
    Some(binds.sentence.clone())
}

fn binds(server: &Server) -> Option<&Binds> {
    let binds = server.figures.as_ref().ok()?.binds.as_ref();
    binds.filter(|binds| binds.limit != "none")
}

//! A running server: whether it is ready, and what binds now.

use super::super::catalogue as kind;
use super::super::evidence::Server;
use super::super::finding::{Finding, Unseen};

pub(super) fn check(server: &Server) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(why) = &server.not_ready {
        findings.push(kind::SERVER_NOT_READY.finding(
            why,
            "mend what is found beside this; where that is nothing, its log says more",
        ));
    }
    let binds = server
        .figures
        .as_ref()
        .and_then(|figures| figures.binds.as_ref());
    if let Some(binds) = binds.filter(|binds| binds.limit != "none") {
        findings.push(kind::BINDS.finding(
            &binds.sentence,
            "do what it says; the page at / of the admin listener shows each pool beside its limit",
        ));
    }
    findings
}

pub(super) fn unseen(server: &Server) -> Option<Unseen> {
    let why =
        "its admin listener has no /figures: it is of an older version, or serves a DuckDB file";
    server
        .figures
        .is_none()
        .then(|| Unseen::new("what binds now", why))
}

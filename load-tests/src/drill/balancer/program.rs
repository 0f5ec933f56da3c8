//! The program of HAProxy, which must be new enough for the configuration.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

/// The oldest version that knows all of the configuration.
const VERSION: (u32, u32) = (3, 0);

/// The program: the given one, or the machine's, if it is new enough.
pub(in crate::drill) fn find(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let program = given.unwrap_or(Path::new("haproxy"));
    let (major, minor) = VERSION;
    let advice = format!(
        "want HAProxy {major}.{minor} or newer: Debian 13 has it (sudo apt-get install haproxy); name another with --haproxy FILE"
    );
    let output = Command::new(program).arg("-v").output();
    let output = output.with_context(|| format!("cannot run {}; {advice}", program.display()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let version =
        version(&said).with_context(|| format!("{}: {said}; {advice}", program.display()))?;
    ensure!(
        version >= VERSION,
        "{} is {}.{}; {advice}",
        program.display(),
        version.0,
        version.1
    );
    Ok(program.to_owned())
}

/// `HAProxy version 3.0.11-1+deb13u4 2026/...`
fn version(said: &str) -> Option<(u32, u32)> {
    let mut parts = said.strip_prefix("HAProxy version ")?.split(['.', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_version_is_read() {
        let read = |said| version(said);
        assert_eq!(
            read("HAProxy version 3.0.11-1+deb13u4 2026/01/01"),
            Some((3, 0))
        );
        assert_eq!(read("HAProxy version 2.6.12-1 2023"), Some((2, 6)));
        assert_eq!(read("HA-Proxy 1.8"), None);
    }

    #[test]
    fn a_program_that_is_missing_or_no_haproxy_is_named() {
        for program in ["/nowhere/haproxy", "true"] {
            let error = find(Some(Path::new(program))).expect_err("no HAProxy");
            let said = format!("{error:#}");
            assert!(
                said.contains(program) && said.contains("--haproxy"),
                "{said}"
            );
        }
    }
}

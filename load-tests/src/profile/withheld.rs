//! Headers whose values are secrets: they are sent, and withheld from the text of the profile that a result keeps.

use anyhow::{Context, ensure};
use toml::{Table, Value};

/// What stands in the kept text instead of a secret.
pub(super) const WITHHELD: &str = "(withheld)";

/// A header whose name holds one of these is a secret.
const SECRETS: [&str; 7] = [
    "authorization",
    "cookie",
    "api-key",
    "apikey",
    "token",
    "secret",
    "password",
];

/// The text without its secrets; `None` where it has none.
pub(super) fn without_secrets(source: &str) -> anyhow::Result<Option<String>> {
    let mut profile: Table = toml::from_str(source)?;
    let mut found = false;
    for (name, value) in headers(&mut profile) {
        let name = name.to_ascii_lowercase();
        // What a field draws stands in another file.
        let is_fixed = value.as_str().is_some_and(|value| !value.contains("{{"));
        if is_fixed && SECRETS.iter().any(|secret| name.contains(secret)) {
            *value = WITHHELD.into();
            found = true;
        }
    }
    Ok(found.then(|| toml::to_string(&profile)).transpose()?)
}

/// The text of a stored profile with the values of withheld headers, each given as `Name: value`.
///
/// # Errors
/// Names a header that was not withheld, and one that is not given.
pub fn with_secrets(source: &str, given: &[String]) -> anyhow::Result<String> {
    let mut profile: Table = toml::from_str(source)?;
    for header in given {
        let (name, value) = split_header(header)?;
        let mut used = false;
        for (_, withheld) in headers(&mut profile).into_iter().filter(|(known, value)| {
            known.eq_ignore_ascii_case(name) && value.as_str() == Some(WITHHELD)
        }) {
            *withheld = value.into();
            used = true;
        }
        ensure!(
            used,
            "--header `{name}` has no effect: the stored run withheld no such header"
        );
    }
    for (name, value) in headers(&mut profile) {
        ensure!(
            value.as_str() != Some(WITHHELD),
            "the value of header `{name}` was sent and not kept; give it again, as in --header '{name}: VALUE'"
        );
    }
    match given {
        [] => Ok(source.to_owned()),
        _ => Ok(toml::to_string(&profile)?),
    }
}

/// The parts of `Name: value`.
pub fn split_header(header: &str) -> anyhow::Result<(&str, &str)> {
    // Without the value, which may be a secret.
    let (name, value) = header
        .split_once(':')
        .context("--header: want `Name: value`")?;
    Ok((name.trim(), value.trim()))
}

/// Every header of every scenario.
fn headers(profile: &mut Table) -> Vec<(String, &mut Value)> {
    let scenarios = profile.get_mut("scenario").and_then(Value::as_array_mut);
    scenarios
        .into_iter()
        .flatten()
        .filter_map(|scenario| scenario.get_mut("headers")?.as_table_mut())
        .flat_map(|headers| headers.iter_mut())
        .map(|(name, value)| (name.clone(), value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = "name='x'\n[[scenario]]\nname='a'\npath='/'\n\
                           headers={Authorization='Bearer s3cret',Accept='*/*',X-Token='{{t}}'}\n";

    #[test]
    fn a_secret_is_withheld_and_wanted_again() {
        let kept = without_secrets(PROFILE).expect("TOML").expect("a secret");
        assert!(
            !kept.contains("s3cret") && kept.contains("*/*") && kept.contains("{{t}}"),
            "{kept}"
        );
        assert_eq!(without_secrets("name='x'").expect("TOML"), None);
        let error = with_secrets(&kept, &[]).expect_err("withheld");
        assert!(
            error.to_string().contains("`Authorization` was sent"),
            "{error}"
        );
        let whole = with_secrets(&kept, &["authorization: Bearer s3cret".to_owned()]);
        assert!(whole.expect("given").contains("Bearer s3cret"));
        let error = with_secrets(&kept, &["Accept: text/html".to_owned()]).expect_err("kept");
        assert!(error.to_string().contains("no effect"), "{error}");
    }
}

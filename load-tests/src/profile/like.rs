//! Inheritance between profiles: `like = "NAME"` takes the keys that a profile does not write from a built-in
//! one. A profile that is itself like another cannot be named, which rules out chains and loops. Nor can a
//! file, whose relative paths would belong to another folder.

use anyhow::{Context, bail};
use toml::{Table, Value};

use super::built_in::{built_in_names, built_in_text};

/// The key that names the other profile.
const LIKE: &str = "like";
/// Keys that say which profile this is, so that each writes its own.
const OWN: [&str; 2] = ["name", "about"];

/// The text of the profile with all its keys; `None` where the profile is like no other.
pub(super) fn written_out(text: &str) -> anyhow::Result<Option<String>> {
    let mut profile: Table = toml::from_str(text)?;
    let Some(like) = profile.remove(LIKE) else {
        return Ok(None);
    };
    for (key, value) in keys_of(&like)? {
        profile.entry(key).or_insert(value);
    }
    Ok(Some(toml::to_string(&profile)?))
}

fn keys_of(like: &Value) -> anyhow::Result<Table> {
    let text = like.as_str().and_then(built_in_text).with_context(|| {
        format!(
            "like = {like}: there is no such built-in profile, want one of {}",
            built_in_names()
        )
    })?;
    let mut keys: Table = toml::from_str(text)?;
    if let Some(other) = keys.get(LIKE) {
        bail!("like = {like}: that profile is itself like {other}, name that one");
    }
    keys.retain(|key, _| !OWN.contains(&key));
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_profile_writes_stands_and_the_rest_is_the_others() {
        let text = "name = 'x'\nlike = 'lab'\nthresholds = ['lost == 0']\n";
        let text = written_out(text).expect("valid").expect("like another");
        let keys: Table = toml::from_str(&text).expect("TOML");
        let lab: Table = toml::from_str(built_in_text("lab").expect("built in")).expect("TOML");
        assert_eq!(keys["name"].as_str(), Some("x"));
        assert_eq!(keys["thresholds"].as_array().map(Vec::len), Some(1));
        assert_eq!(keys["scenario"], lab["scenario"]);
        assert_eq!(keys["connections"], lab["connections"]);
        assert!(!keys.contains_key("like") && !keys.contains_key("about"));
    }

    #[test]
    fn a_profile_that_is_like_no_other_keeps_its_text() {
        assert_eq!(written_out("name = 'x'").expect("valid"), None);
    }

    #[test]
    fn a_name_that_leads_nowhere_or_on_is_an_error() {
        for (like, words) in [
            ("'labb'", "no such built-in profile, want one of "),
            ("'./lab.toml'", "no such built-in profile"),
            ("['lab']", "no such built-in profile"),
            ("'lab-limited'", "itself like \"lab\", name that one"),
        ] {
            let error = written_out(&format!("name = 'x'\nlike = {like}")).expect_err(like);
            assert!(error.to_string().contains(words), "{like}: {error}");
        }
    }
}

//! Lookup of a profile: a built-in one by its name, or a file by its path.

use std::path::Path;

use anyhow::{Context, bail};

use super::built_in::{built_in_names, built_in_text};
use super::spec::Profile;

impl Profile {
    /// A built-in profile by its name, or else a file.
    pub fn load(name: &str) -> anyhow::Result<Profile> {
        if let Some(text) = built_in_text(name) {
            return Profile::parse(text, Path::new("."));
        }
        let path = Path::new(name);
        if !path.exists() {
            bail!(
                "there is no profile `{name}`: want one of {}, or the path of a TOML file",
                built_in_names()
            );
        }
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the profile {name}"))?;
        Profile::parse(&text, path.parent().unwrap_or(Path::new(".")))
            .with_context(|| format!("the profile {name} is wrong"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::built_in::built_in;

    #[test]
    fn every_built_in_profile_is_valid() {
        for (name, _) in built_in() {
            let profile = Profile::load(name).unwrap_or_else(|error| panic!("{name}: {error:#}"));
            assert_eq!(profile.name, name);
            assert!(
                !profile.thresholds.is_empty(),
                "{name} would pass whatever happens"
            );
        }
    }

    #[test]
    fn the_readme_lists_every_profile_in_its_own_words() {
        let readme = include_str!("../../README.md");
        for (name, text) in built_in() {
            let profile = Profile::parse(text, Path::new(".")).expect(name);
            let row = format!("| `{name}` | {} |", profile.about);
            assert!(readme.contains(&row), "the README wants the row\n{row}");
        }
    }
}

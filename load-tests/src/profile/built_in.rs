//! The profiles of the folder `profiles/`, built in so that the binary alone is enough. A file there is a
//! profile: nothing else has to name it.

use std::path::Path;

use anyhow::{Context, bail};
use include_dir::{Dir, include_dir};

use super::spec::Profile;

static PROFILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/profiles");

/// The names and texts of the built-in profiles, by name.
pub fn built_in() -> Vec<(&'static str, &'static str)> {
    let mut profiles: Vec<_> = PROFILES
        .files()
        .filter(|file| file.path().extension().is_some_and(|end| end == "toml"))
        .filter_map(|file| Some((file.path().file_stem()?.to_str()?, file.contents_utf8()?)))
        .collect();
    profiles.sort_unstable();
    profiles
}

/// The names of the built-in profiles, for reading.
pub fn built_in_names() -> String {
    let names: Vec<&str> = built_in().into_iter().map(|(name, _)| name).collect();
    names.join(", ")
}

impl Profile {
    /// A built-in profile by its name, or else a file.
    pub fn load(name: &str) -> anyhow::Result<Profile> {
        if let Some((_, text)) = built_in().iter().find(|(built_in, _)| *built_in == name) {
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

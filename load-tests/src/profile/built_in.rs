//! Embedded profiles: the files of the folder `profiles/`, so that the binary alone is enough. A file there is
//! a profile; what names it besides is its row in the README's table, which a test asks for.

use include_dir::{Dir, include_dir};

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

/// The text of a built-in profile.
pub(super) fn built_in_text(name: &str) -> Option<&'static str> {
    let (_, text) = built_in().into_iter().find(|(known, _)| *known == name)?;
    Some(text)
}

/// The names of the built-in profiles, for reading.
pub fn built_in_names() -> String {
    let names: Vec<&str> = built_in().into_iter().map(|(name, _)| name).collect();
    names.join(", ")
}

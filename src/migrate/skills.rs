//! Skills as one text: between commas, or a JSON array.

use crate::config::SkillsText;

/// What a text that is neither holds, in words that an error can end with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotJson;

/// The skills of a text; NULL among them is none.
pub(super) fn skills_of(text: &str, form: SkillsText) -> Result<Vec<Option<String>>, NotJson> {
    match form {
        SkillsText::Json => serde_json::from_str(text).map_err(|_| NotJson),
        SkillsText::Comma => Ok(between_commas(text)
            .map(|skill| Some(skill.to_owned()))
            .collect()),
    }
}

/// The skills between commas, without the space around them; none of a text of space.
pub(super) fn between_commas(text: &str) -> impl Iterator<Item = &str> {
    let empty = text.trim().is_empty();
    text.split(',').map(str::trim).filter(move |_| !empty)
}

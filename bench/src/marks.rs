//! What the rows of the laboratory have neither often nor seldom: random letters alone make terms of many names or of next
//! to none.

/// Pairs of letters, each in the name of one row in 50.
pub(crate) const PAIRS: [&str; 3] = ["ða", "ðe", "ðu"];

/// A skill of one row in 25.
pub(crate) const SKILL: &str = "Vovinam";

/// Marks a row by its number: a pair in place of two letters in the middle of an ASCII name, the skill in place of the
/// first one.
pub(crate) fn mark(number: u64, name: &mut String, skills: &mut [String]) {
    let pair = match number % 50 {
        7 => Some(PAIRS[0]),
        17 => Some(PAIRS[1]),
        27 => Some(PAIRS[2]),
        _ => None,
    };
    if let Some(pair) = pair {
        let from = name.len() / 2;
        let to = name.len().min(from + 2);
        if name.is_ascii() {
            name.replace_range(from..to, pair);
        }
    }
    if number % 25 == 3
        && let Some(first) = skills.first_mut()
    {
        SKILL.clone_into(first);
    }
}

//! Two texts beside each other.

/// The width of a column in characters; two fit on a terminal of 120.
const WIDTH: usize = 58;

/// Both texts under their heads; what is too long for its column goes on in the next line.
pub(super) fn side_by_side(
    left_head: &str,
    right_head: &str,
    left: &[String],
    right: &[String],
) -> String {
    let rule = || "-".repeat(WIDTH);
    let column = |head: &str, lines: &[String]| {
        let mut column = wrapped(head);
        column.push(rule());
        column.extend(lines.iter().flat_map(|line| wrapped(line)));
        column
    };
    let (left, right) = (column(left_head, left), column(right_head, right));
    let empty = String::new();
    let lines = (0..left.len().max(right.len())).map(|line| {
        let at = |column: &[String]| column.get(line).unwrap_or(&empty).clone();
        let both = format!("{:WIDTH$} | {}", at(&left), at(&right));
        both.trim_end().to_owned() + "\n"
    });
    lines.collect()
}

/// The line in pieces of the column's width, at spaces where there are any; what follows is indented.
fn wrapped(line: &str) -> Vec<String> {
    const INDENT: &str = "    ";
    let mut pieces = Vec::new();
    let mut rest: Vec<char> = line.chars().collect();
    while rest.len() > WIDTH {
        let at = rest[..WIDTH].iter().rposition(|letter| *letter == ' ');
        let at = at.filter(|at| *at > INDENT.len()).unwrap_or(WIDTH);
        let tail: String = rest[at..].iter().collect();
        pieces.push(rest[..at].iter().collect());
        rest = format!("{INDENT}{}", tail.trim_start()).chars().collect();
    }
    pieces.push(rest.iter().collect());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_lost_and_no_line_is_too_long() {
        let long = vec!["word ".repeat(40).trim_end().to_owned(), "x".repeat(130)];
        let short = vec!["one".to_owned()];
        let text = side_by_side("left", "right", &short, &long);
        assert_eq!(text.matches("word").count(), 40, "{text}");
        assert_eq!(text.matches('x').count(), 130, "{text}");
        assert!(
            text.lines().all(|line| line.len() <= 2 * WIDTH + 3),
            "{text}"
        );
        assert!(text.starts_with("left "), "{text}");
    }
}

//! Answers as the contract allows them to anything that a client may send: HTTP, whole, with JSON that says the same.

use serde_json::Value;

/// The statuses that some request may have. 500 is none of them.
const STATUSES: [u16; 16] = [
    100, 200, 201, 400, 404, 405, 408, 413, 414, 415, 422, 431, 501, 503, 504, 505,
];

/// One answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) location: Option<String>,
}

/// The answers at the beginning of these bytes, and whether the bytes end with the last of them. `may_be_bare` says that
/// the request may have been a HEAD, whose answer ends with its head.
///
/// # Errors
/// What is no answer of this API.
pub(super) fn answers(bytes: &[u8], may_be_bare: bool) -> Result<(Vec<Answer>, bool), String> {
    let (mut found, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let Some(end) = rest.windows(4).position(|four| four == b"\r\n\r\n") else {
            let begins = rest.iter().zip(b"HTTP/1.").all(|(a, b)| a == b);
            return if begins {
                Ok((found, false))
            } else {
                Err(format!("no status line: {}", shown(rest)))
            };
        };
        let head = Head::read(&rest[..end])?;
        rest = &rest[end + 4..];
        if head.status == 100 {
            continue;
        }
        let length = head.length.ok_or("no content-length")?;
        let is_bare = may_be_bare && (rest.is_empty() || rest.starts_with(b"HTTP/1."));
        if !is_bare {
            let Some((body, after)) = rest.split_at_checked(length) else {
                return Ok((found, false));
            };
            check_body(&head, body)?;
            rest = after;
        }
        found.push(Answer {
            status: head.status,
            location: head.location,
        });
    }
    Ok((found, true))
}

struct Head {
    status: u16,
    length: Option<usize>,
    location: Option<String>,
    is_problem: bool,
}

impl Head {
    fn read(bytes: &[u8]) -> Result<Head, String> {
        let wrong = |why: &str| format!("{why}: {}", shown(bytes));
        let text = str::from_utf8(bytes).map_err(|_| wrong("a head that is not text"))?;
        let mut lines = text.split("\r\n");
        let line = lines.next().unwrap_or_default();
        let status = ["HTTP/1.1 ", "HTTP/1.0 "]
            .iter()
            .find_map(|version| line.strip_prefix(version)?.get(..3)?.parse().ok())
            .ok_or_else(|| wrong("no status line"))?;
        if !STATUSES.contains(&status) {
            return Err(wrong("a status that no request has"));
        }
        let mut head = Head {
            status,
            length: None,
            location: None,
            is_problem: false,
        };
        for line in lines {
            let (name, value) = line.split_once(": ").ok_or_else(|| wrong("no field"))?;
            match name {
                "content-length" if head.length.is_some() => return Err(wrong("two lengths")),
                "content-length" => head.length = value.parse().ok(),
                "location" => head.location = Some(value.to_owned()),
                "content-type" => head.is_problem = value == "application/problem+json",
                _ => {}
            }
        }
        if head.is_problem != (status >= 400) && status != 100 {
            return Err(wrong("a problem that is none, or none that is one"));
        }
        Ok(head)
    }
}

fn check_body(head: &Head, body: &[u8]) -> Result<(), String> {
    let wrong = |why: &str| format!("{} with {why}: {}", head.status, shown(body));
    let json: Value = serde_json::from_slice(body).map_err(|_| wrong("a body that is no JSON"))?;
    if head.is_problem && json["status"] != head.status {
        return Err(wrong("another status in its body"));
    }
    Ok(())
}

fn shown(bytes: &[u8]) -> String {
    bytes[..bytes.len().min(500)].escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, kind: &str, body: &str) -> Vec<u8> {
        format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/{kind}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }

    fn statuses(bytes: &[u8], may_be_bare: bool) -> Result<(Vec<u16>, bool), String> {
        let (found, whole) = answers(bytes, may_be_bare)?;
        Ok((found.iter().map(|answer| answer.status).collect(), whole))
    }

    #[test]
    fn answers_are_read_one_after_another() {
        let problem = answer(422, "problem+json", r#"{"status":422}"#);
        let two = [answer(200, "json", "[]"), problem.clone()].concat();
        assert_eq!(statuses(&two, false), Ok((vec![200, 422], true)));
        assert_eq!(
            statuses(&two[..two.len() - 1], false),
            Ok((vec![200], false))
        );
        let interim = [b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), problem.clone()].concat();
        assert_eq!(statuses(&interim, false), Ok((vec![422], true)));
        let bare = [&problem[..problem.len() - 14], &problem].concat();
        assert_eq!(statuses(&bare, true), Ok((vec![422, 422], true)));
    }

    #[test]
    fn what_is_no_answer_is_said_so() {
        for (bytes, why) in [
            (b"HTTP/0.9 200\r\n\r\n".to_vec(), "no status line"),
            (b"<html>".to_vec(), "no status line"),
            (
                answer(500, "problem+json", r#"{"status":500}"#),
                "a status that no request has",
            ),
            (answer(200, "json", "["), "no JSON"),
            (
                answer(404, "problem+json", r#"{"status":400}"#),
                "another status",
            ),
            (answer(404, "json", "{}"), "a problem that is none"),
        ] {
            let found = statuses(&bytes, false).expect_err(why);
            assert!(found.contains(why), "{why} in {found}");
        }
    }
}

//! A running server, by its admin listener.

use super::super::evidence::{Figures, Seen, Server};
use super::super::finding::Unseen;
use super::super::place::Place;
use crate::config::{DoctorArgs, Listen};
use crate::ops::health::{self, Answer};

const WHAT: &str = "the server, its readiness and what binds now";
const BINDS: &str = "what binds now, and the server's connections and descriptors";

/// Asks the server that is named, or else the one that `up` runs with the stack. What listens on the default port may
/// belong to another stack, whose figures say nothing of this one.
pub(super) fn find(args: &DoctorArgs, place: &Place) -> Seen<Server> {
    let Some(stack) = place.stack.as_ref().filter(|_| !args.names_admin()) else {
        return ask(args.admin());
    };
    let Some(admin) = stack.admin else {
        let why = "no `warrior-api up` runs a server with this stack; ADMIN_HOST and ADMIN_PORT name another one";
        return Err(Unseen::beside(WHAT, why));
    };
    ask(Listen {
        host: admin.ip(),
        port: admin.port(),
    })
}

fn ask(admin: Listen) -> Seen<Server> {
    // A server need not run, and whoever sends it requests watches its readiness.
    let Answer { status, text } =
        health::get(admin, "/ready").map_err(|e| Unseen::beside(WHAT, format!("{e:#}")))?;
    Ok(Server {
        not_ready: (status != 200).then(|| text.trim_start_matches("not ready: ").to_owned()),
        figures: health::get(admin, "/figures")
            .map_err(|e| Unseen::new(BINDS, format!("{e:#}")))
            .and_then(|answer| figures(&answer)),
    })
}

fn figures(answer: &Answer) -> Seen<Figures> {
    match answer.status {
        200 => serde_json::from_str(&answer.text).map_err(|e| {
            let why = format!(
                "/figures of its admin listener is none that this program reads: {e}; compare the versions of both"
            );
            Unseen::new(BINDS, why)
        }),
        404 => {
            let why = "its admin listener has no /figures, so it is of an older version";
            Err(Unseen::beside(BINDS, why))
        }
        status => {
            let why = format!("/figures of its admin listener answers {status}: {}", answer.text);
            Err(Unseen::new(BINDS, why))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, figures};

    #[test]
    fn figures_that_cannot_be_read_say_why() {
        let asked = |status, text: &str| {
            figures(&Answer {
                status,
                text: text.to_owned(),
            })
        };
        assert!(asked(200, r#"{"r2d2":null}"#).is_ok());
        for (status, text, words, essential) in [
            (200, r#"{"r2d2":{"max":"six"}}"#, "invalid type", true),
            (200, "", "EOF", true),
            (404, "there are /live and /ready", "older version", false),
            (
                500,
                "figures cannot be written",
                "500: figures cannot",
                true,
            ),
        ] {
            let unseen = asked(status, text).expect_err(text);
            assert!(unseen.why.contains(words), "{unseen:?}");
            assert_eq!(unseen.essential, essential, "{unseen:?}");
        }
    }
}

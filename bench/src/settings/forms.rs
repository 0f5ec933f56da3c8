//! The forms in which the server's statements go out, by its own count: named, or not.

use anyhow::Context;
use warrior_load::client;
use warrior_load::stack::Stack;

use super::wait;

/// Requests that a form is judged by, while it is waited for.
const ASKED: usize = 64;
/// Least share of one form: a connection's first statement may come before it knows whether names are kept.
const SHARE_MIN: f64 = 0.98;

/// Statements in each form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Forms {
    named: f64,
    unnamed: f64,
}

impl Forms {
    /// Those since the server started.
    pub(super) fn read(stack: &Stack) -> anyhow::Result<Forms> {
        let page = client::get(&stack.admin, "/metrics")?;
        Forms::of(std::str::from_utf8(&page.body).context("/metrics is not UTF-8")?)
    }

    fn of(page: &str) -> anyhow::Result<Forms> {
        let of = |form: &str| -> anyhow::Result<f64> {
            let name = format!("warrior_statements_total{{form=\"{form}\"}} ");
            let value = page.lines().find_map(|line| line.strip_prefix(&name));
            let value = value.with_context(|| format!("/metrics has no {name}"))?;
            value.parse().with_context(|| format!("{name}{value}"))
        };
        Ok(Forms {
            named: of("named")?,
            unnamed: of("unnamed")?,
        })
    }

    pub(super) fn since(self, before: Forms) -> Forms {
        Forms {
            named: self.named - before.named,
            unnamed: self.unnamed - before.unnamed,
        }
    }

    /// Whether they are named, or unnamed, as good as all of them.
    pub(super) fn are(self, named: bool) -> bool {
        let (these, all) = match named {
            true => (self.named, self.named + self.unnamed),
            false => (self.unnamed, self.named + self.unnamed),
        };
        all > 0.0 && these / all >= SHARE_MIN
    }
}

/// Waits until the server's statements go out named, or not.
pub(super) fn wait(stack: &Stack, named: bool) -> anyhow::Result<()> {
    let otherwise = match named {
        true => "the server does not name its statements",
        false => "the server goes on naming its statements",
    };
    wait::wait(otherwise, || {
        let before = Forms::read(stack)?;
        for _ in 0..ASKED {
            client::count(&stack.api)?;
        }
        Ok(Forms::read(stack)?.since(before).are(named))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_as_the_server_counts_them() {
        let page = "# TYPE warrior_statements counter\n\
                    warrior_statements_total{form=\"named\"} 99\n\
                    warrior_statements_total{form=\"unnamed\"} 101\n";
        let forms = Forms::of(page).expect("both forms");
        assert!(!forms.are(true) && !forms.are(false));
        let before = Forms {
            named: 0.0,
            unnamed: 100.0,
        };
        assert!(forms.since(before).are(true));
        assert!(!forms.since(forms).are(true), "nothing was sent");
        assert!(Forms::of("").is_err());
    }
}

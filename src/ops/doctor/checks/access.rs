//! Who gets in: the way of requests, TLS, and files of secrets.

use super::super::catalogue as kind;
use super::super::evidence::{Evidence, Setting};
use super::super::finding::Finding;
use super::super::place::Place;
use super::pooler;
use crate::store::Writes;

const READ_ONLY: &str = "default_transaction_read_only";

pub(super) fn check(evidence: &Evidence, place: &Place) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (asked, serving) = (&evidence.asked, &evidence.serving);
    let console = evidence
        .console
        .as_ref()
        .and_then(|seen| seen.as_ref().ok());
    let paused = console.is_some_and(|console| !pooler::again(console, evidence).is_empty());
    // A pause of the pooler is a finding of its own.
    if let Some((why, next)) = serving.refused.as_ref().filter(|_| !paused) {
        findings.push(kind::DATABASE_UNREACHABLE.finding(why, next));
    }
    if let Some(ready) = serving
        .readiness
        .filter(|ready| ready.writes != Writes::Possible)
        && let Err(sentence) = ready.suffices(0)
    {
        let (seen, mend) = sentence.split_once("; ").unwrap_or((&sentence, ""));
        let setting = (serving.settings.iter())
            .find(|setting| setting.name == READ_ONLY && setting.value == "on");
        let mend =
            setting.map_or_else(|| mend.to_owned(), |setting| undo(setting, evidence, place));
        findings.push(kind::DATABASE_READ_ONLY.finding(seen, mend));
    }
    findings.extend(
        serving
            .settings
            .iter()
            .filter_map(|setting| of_setting(setting, evidence, place)),
    );
    if !asked.tls && asked.public_host {
        let host = &place.serving.host;
        findings.push(kind::TLS_OFF.finding(
            format!("POSTGRES_TLS is off, and {host} has a public address"),
            "set POSTGRES_TLS=verify-full and POSTGRES_TLS_CA to the file of its CA",
        ));
    }
    let open = &evidence.files.open;
    if !open.is_empty() {
        let paths: Vec<String> = open.iter().map(|path| path.display().to_string()).collect();
        findings.push(kind::SECRETS_READABLE.finding(
            format!("others than their user can read {}", paths.join(", ")),
            place.close(open),
        ));
    }
    findings
}

fn of_setting(setting: &Setting, evidence: &Evidence, place: &Place) -> Option<Finding> {
    let Setting {
        name,
        value,
        source,
    } = setting;
    let seen = format!("{name} is {value} where requests are served ({source})");
    let deadline_ms = evidence.asked.deadline.as_millis();
    let ms: Option<u128> = value.parse().ok();
    match name.as_str() {
        "synchronous_commit" if value == "off" => {
            Some(kind::DURABILITY_OFF.finding(seen, undo(setting, evidence, place)))
        }
        "gin_fuzzy_search_limit" if value != "0" => {
            Some(kind::SEARCH_LIMIT.finding(seen, undo(setting, evidence, place)))
        }
        "statement_timeout" | "lock_timeout" | "idle_in_transaction_session_timeout" => {
            let idle = name.starts_with("idle");
            let unbounded = ms.is_some_and(|ms| ms == 0 || ms >= deadline_ms && !idle);
            unbounded.then(|| {
                let seen = match ms {
                    Some(0) => format!("{name} is 0, which is no limit ({source})"),
                    _ => format!(
                        "{name} is {value} ms, and a request waits {deadline_ms} ms ({source})"
                    ),
                };
                kind::STATEMENT_LIMITS.finding(seen, limit(setting, evidence, place))
            })
        }
        _ => None,
    }
}

/// The limits of postgres-conf/roles.sql.
pub(super) const LIMITS: [(&str, &str); 3] = [
    ("statement_timeout", "2s"),
    ("lock_timeout", "1s"),
    ("idle_in_transaction_session_timeout", "5s"),
];

/// Gives the role the limit that roles.sql would give it, where nothing nearer to the session wins over that.
fn limit(setting: &Setting, evidence: &Evidence, place: &Place) -> String {
    let Setting { name, source, .. } = setting;
    let value = LIMITS.iter().find(|(limit, _)| limit == name);
    let value = value.map_or("1s", |(_, value)| value);
    let (role, dbname) = (&evidence.asked.role, &evidence.asked.dbname);
    let whose = match source.as_str() {
        "session" | "client" => return undo(setting, evidence, place),
        "database user" => format!("{role} in database {dbname}"),
        _ => role.clone(),
    };
    let statement = format!("alter role {whose} set {name} = '{value}'");
    anew(place.administrator(&[&statement]), evidence, place)
}

/// Takes a setting back from where it comes.
fn undo(setting: &Setting, evidence: &Evidence, place: &Place) -> String {
    let Setting { name, source, .. } = setting;
    let writable = format!("set {READ_ONLY} = off");
    // A session of the administrator may be read only, too.
    let administrator = |statements: &[&str]| match name == READ_ONLY {
        true => place.administrator(&[&[writable.as_str()], statements].concat()),
        false => place.administrator(statements),
    };
    let (role, dbname) = (&evidence.asked.role, &evidence.asked.dbname);
    let command = match source.as_str() {
        "user" => administrator(&[&format!("alter role {role} reset {name}")]),
        "database" => administrator(&[&format!("alter database {dbname} reset {name}")]),
        "database user" => administrator(&[&format!(
            "alter role {role} in database {dbname} reset {name}"
        )]),
        "session" | "client" => {
            return place.console("reconnect").unwrap_or_else(|| {
                "run RECONNECT on the pooler's console, and give people other roles than the API's".to_owned()
            });
        }
        "command line" => {
            return format!("take {name} from the command that starts PostgreSQL, and restart it");
        }
        // A reset would leave a line of postgresql.conf in force.
        _ => administrator(&[
            &format!("alter system set {name} = {}", sound(name)),
            "select pg_reload_conf()",
        ]),
    };
    anew(command, evidence, place)
}

/// The value of a setting under which the API holds what it promises.
fn sound(name: &str) -> &'static str {
    match name {
        "synchronous_commit" => "on",
        READ_ONLY => "off",
        "gin_fuzzy_search_limit" => "0",
        _ => "default",
    }
}

/// Has a pooler open its connections anew, which got their settings when they were opened.
fn anew(command: String, evidence: &Evidence, place: &Place) -> String {
    match (evidence.serving.direct, place.console("reconnect")) {
        (true, _) => command,
        (false, Some(reconnect)) => format!("{command} && {reconnect}"),
        (false, None) => format!("{command}; then RECONNECT on the pooler's console"),
    }
}

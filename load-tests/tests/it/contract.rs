//! A server with the API's contract, in memory, with faults that break its promises.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use warrior_load::calibrate::request_length;

/// What the server does wrong.
#[derive(Clone, Copy, Default)]
pub(crate) struct Faults {
    /// Acknowledges every n-th create and forgets it.
    pub(crate) forget_every: Option<u64>,
    /// Stores every n-th create and answers 503.
    pub(crate) refuse_stored_every: Option<u64>,
    /// Answers 503 to the first n creates, as a server may.
    pub(crate) refuse_first: u64,
    /// Stores every n-th create with another name.
    pub(crate) alter_every: Option<u64>,
    /// Answers 503 to every read of one warrior.
    pub(crate) refuse_reads: bool,
    /// Answers the first n reads of one warrior with a 503 that asks for this many seconds.
    pub(crate) busy_reads: Option<(u64, u64)>,
    /// Answers 504 to every n-th create and stores it when the count is asked next.
    pub(crate) commit_late_every: Option<u64>,
    /// Closes every connection that asks for the count, from the second time on.
    pub(crate) count_once: bool,
}

pub(crate) struct Contract {
    pub(crate) address: SocketAddr,
}

#[derive(Default)]
struct State {
    /// By location, and so in the order of their ids.
    rows: BTreeMap<String, Value>,
    creates: u64,
    uncommitted: Vec<(String, Value)>,
    counted: u64,
    reads: u64,
}

impl Contract {
    pub(crate) fn start(faults: Faults) -> Contract {
        Contract::holding(&[], faults)
    }

    /// With these rows from the beginning.
    pub(crate) fn holding(rows: &[Value], faults: Faults) -> Contract {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let place = |row: &Value| format!("/warrior/{}", row["id"].as_str().unwrap_or_default());
        let state = Arc::new(Mutex::new(State {
            rows: rows.iter().map(|row| (place(row), row.clone())).collect(),
            ..State::default()
        }));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&state);
                // A client that goes away ends its connection's thread, nothing else.
                std::thread::spawn(move || serve(stream, &state, faults));
            }
        });
        Contract { address }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>, faults: Faults) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut bytes = Vec::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        while let Some(length) = request_length(&bytes) {
            let request: Vec<u8> = bytes.drain(..length).collect();
            let answer = answer(
                &request,
                &mut state.lock().expect("no panic holds it"),
                faults,
            );
            let Some(answer) = answer else {
                return Ok(());
            };
            stream.write_all(answer.as_bytes())?;
        }
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(&chunk[..read]);
    }
}

/// The answer, or `None` to close the connection instead.
fn answer(request: &[u8], state: &mut State, faults: Faults) -> Option<String> {
    let text = String::from_utf8_lossy(request);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut words = head.split_whitespace();
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    Some(match (method, path) {
        ("POST", "/warrior") => create(body, state, faults),
        ("GET", "/warrior") => plain(400, &json!({})),
        ("GET", "/counting-warriors") => {
            state.counted += 1;
            if faults.count_once && state.counted > 1 {
                return None;
            }
            state.rows.extend(state.uncommitted.drain(..));
            plain(200, &json!({ "count": state.rows.len() }))
        }
        ("GET", path) if path.starts_with("/warrior?t=") => {
            let term = percent_encoding::percent_decode_str(&path[11..]).decode_utf8_lossy();
            let found = state.rows.values().filter(|row| {
                row["name"]
                    .as_str()
                    .is_some_and(|name| name.contains(term.as_ref()))
            });
            plain(200, &Value::Array(found.take(50).cloned().collect()))
        }
        ("GET", _) if faults.refuse_reads => plain(503, &json!({})),
        ("GET", path) => {
            state.reads += 1;
            let busy = faults.busy_reads.filter(|(reads, _)| state.reads <= *reads);
            match (busy, state.rows.get(path)) {
                (Some((_, seconds)), _) => {
                    format!("HTTP/1.1 503 X\r\nRetry-After: {seconds}\r\nContent-Length: 0\r\n\r\n")
                }
                (None, Some(row)) => plain(200, row),
                (None, None) => plain(404, &json!({})),
            }
        }
        _ => plain(405, &json!({})),
    })
}

fn create(body: &str, state: &mut State, faults: Faults) -> String {
    let sent: Value = serde_json::from_str(body).unwrap_or_default();
    let fits = |text: &Value, most: usize| {
        text.as_str()
            .is_some_and(|text| (1..=most).contains(&text.chars().count()))
    };
    let date = sent["dob"].as_str().filter(|dob| dob.len() == 10);
    let skills = sent["fight_skills"].as_array();
    let good = fits(&sent["name"], 100)
        && date.is_some_and(|dob| dob.parse::<chrono::NaiveDate>().is_ok())
        && skills.is_some_and(|skills| {
            (1..=20).contains(&skills.len()) && skills.iter().all(|skill| fits(skill, 250))
        });
    if !good {
        return plain(422, &json!({}));
    }
    state.creates += 1;
    let hit = |every: Option<u64>| every.is_some_and(|every| state.creates.is_multiple_of(every));
    if state.creates <= faults.refuse_first {
        return plain(503, &json!({}));
    }
    let id = uuid::Uuid::new_v4();
    let location = format!("/warrior/{id}");
    let mut row = sent;
    row["id"] = json!(id.to_string());
    if hit(faults.alter_every) {
        row["name"] = json!("somebody else");
    }
    if hit(faults.commit_late_every) {
        state.uncommitted.push((location, row));
        return plain(504, &json!({ "id": id.to_string() }));
    }
    let (forget, refuse) = (hit(faults.forget_every), hit(faults.refuse_stored_every));
    if !forget {
        state.rows.insert(location.clone(), row.clone());
    }
    if refuse {
        return plain(503, &json!({}));
    }
    let body = row.to_string();
    format!(
        "HTTP/1.1 201 Created\r\nLocation: {location}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn plain(status: u16, body: &Value) -> String {
    let body = body.to_string();
    format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

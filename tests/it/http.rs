//! Speaks HTTP/1.1 in bytes, so that a test sees exactly what a client would.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longest wait for bytes; longer than every timeout of the server.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection, byte by byte.
pub(crate) struct Wire(BufReader<TcpStream>);

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Sends one request on a connection of its own.
pub(crate) fn request(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut head = format!("{method} {target} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    let mut wire = Wire::open(address);
    wire.send([head.as_bytes(), body].concat());
    match method {
        "HEAD" => wire.answer_to_head(),
        _ => wire.answer(),
    }
}

impl Wire {
    pub(crate) fn open(address: SocketAddr) -> Self {
        Self::try_open(address).expect("the server listens")
    }

    /// A connection, or none when nobody listens.
    pub(crate) fn try_open(address: SocketAddr) -> Option<Self> {
        let stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).expect("not zero");
        stream.set_write_timeout(Some(PATIENCE)).expect("not zero");
        stream.set_nodelay(true).expect("it is a TCP socket");
        Some(Self(BufReader::new(stream)))
    }

    /// Sends bytes; a server that has closed already is found out by what it answered.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        match self.0.get_mut().write_all(bytes.as_ref()) {
            Err(e) if !is_end(&e) => panic!("cannot send: {e}"),
            _ => {}
        }
    }

    /// Waits this long at most for the end of the connection, or for bytes, and says whether one came.
    pub(crate) fn stirs_within(&mut self, time: Duration) -> bool {
        let stream = self.0.get_ref();
        stream.set_read_timeout(Some(time)).expect("not zero");
        let stirred = match stream.peek(&mut [0]) {
            Err(e) => !matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
            Ok(_) => true,
        };
        stream.set_read_timeout(Some(PATIENCE)).expect("not zero");
        stirred
    }

    /// Sends until the server lets go of a client that reads nothing.
    pub(crate) fn send_until_cut(&mut self, bytes: &[u8]) {
        let stream = self.0.get_mut();
        let short = Duration::from_millis(200);
        stream.set_write_timeout(Some(short)).expect("not zero");
        let patience = Instant::now() + PATIENCE;
        // A write that was cut short breaks the request, which nobody reads that far.
        while match stream.write(bytes) {
            Err(e) => !is_end(&e),
            Ok(_) => true,
        } {
            assert!(Instant::now() < patience, "the server never let go");
        }
    }

    /// Says that nothing more will be sent.
    pub(crate) fn half_close(&mut self) {
        self.0
            .get_mut()
            .shutdown(Shutdown::Write)
            .expect("it is open");
    }

    /// The next answer, or none if the connection ends before one.
    pub(crate) fn next_answer(&mut self) -> Option<Answer> {
        match self.0.fill_buf() {
            Err(e) if is_end(&e) => None,
            Err(e) => panic!("neither an answer nor an end: {e}"),
            Ok([]) => None,
            Ok(_) => Some(self.answer()),
        }
    }

    pub(crate) fn answer(&mut self) -> Answer {
        let mut answer = self.answer_to_head();
        let length = answer.header("content-length").expect("a length");
        answer.body = vec![0; length.parse().expect("a number")];
        self.0.read_exact(&mut answer.body).expect("the whole body");
        answer
    }

    /// An answer without its body, whatever length its head tells.
    pub(crate) fn answer_to_head(&mut self) -> Answer {
        let status_line = self.line();
        let status = ["HTTP/1.1 ", "HTTP/1.0 "]
            .iter()
            .find_map(|version| status_line.strip_prefix(version))
            .and_then(|rest| rest.get(..3))
            .unwrap_or_else(|| panic!("no status line: {status_line:?}"));
        let mut headers = Vec::new();
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(": ") else {
                assert_eq!(line, "", "a header or an empty line");
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        Answer {
            status: status.parse().expect("a number"),
            headers,
            body: Vec::new(),
        }
    }

    /// Everything up to the end of the connection, which must come.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Err(e) if !is_end(&e) => panic!("the connection was not closed: {e}"),
            _ => rest,
        }
    }

    /// Checks that the connection ends here.
    pub(crate) fn assert_closed(&mut self) {
        let rest = self.rest();
        assert!(rest.is_empty(), "{:?}", String::from_utf8_lossy(&rest));
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line of text");
        match line.strip_suffix("\r\n") {
            Some(line) => line.to_owned(),
            None => panic!("the connection ended instead of a line: {line:?}"),
        }
    }
}

impl Answer {
    /// The value of a header that is sent at most once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(n, _)| n == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} twice: {self:?}");
        value
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    /// The JSON of an answer with this status.
    pub(crate) fn json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/json"));
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The body of a problem, which must be whole and say what it is.
    pub(crate) fn problem(&self, status: u16, name: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        let body: Value = serde_json::from_slice(&self.body).expect("JSON");
        assert_eq!(body["type"], format!("urn:warrior-api:problem:{name}"));
        assert_eq!(body["status"], status);
        for field in ["title", "detail"] {
            let text = body[field].as_str();
            assert!(text.is_some_and(|text| !text.is_empty()), "{body}");
        }
        assert_eq!(body.get("errors").is_some(), name == "invalid-warrior");
        let retry_after = self.header("retry-after");
        assert_eq!(retry_after, (status == 503).then_some("1"), "{self:?}");
        body
    }

    /// Where the created warrior is.
    pub(crate) fn location(&self) -> &str {
        assert_eq!(self.status, 201, "{}", self.text());
        self.header("location").expect("a created warrior has one")
    }
}

/// The ends that a connection may have while bytes are under way.
fn is_end(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted
    )
}

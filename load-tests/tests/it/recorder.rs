//! A server that answers 200 to everything and records what it was asked, over TCP or TLS.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use warrior_load::calibrate::request_length;

pub(crate) struct Recorder {
    /// By the name `localhost`, without a path.
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    pub(crate) fn start() -> Recorder {
        Recorder::serving("http", answer_each)
    }

    pub(crate) fn start_tls(config: ServerConfig) -> Recorder {
        let config = Arc::new(config);
        Recorder::serving("https", move |stream, recorded| {
            let connection =
                ServerConnection::new(Arc::clone(&config)).map_err(std::io::Error::other)?;
            answer_each(StreamOwned::new(connection, stream), recorded)
        })
    }

    /// Every request so far, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic holds it").clone()
    }

    fn serving(
        scheme: &str,
        serve: impl Fn(TcpStream, &Mutex<Vec<String>>) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Recorder {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let (recorded, serve) = (Arc::clone(&requests), Arc::new(serve));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (recorded, serve) = (Arc::clone(&recorded), Arc::clone(&serve));
                // A client that goes away ends its connection's thread, nothing else.
                std::thread::spawn(move || serve(stream, &recorded));
            }
        });
        Recorder {
            url: format!("{scheme}://localhost:{port}"),
            requests,
        }
    }
}

fn answer_each(
    mut stream: impl Read + Write,
    recorded: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 16 * 1024]);
    loop {
        while let Some(length) = request_length(&bytes) {
            let request: Vec<u8> = bytes.drain(..length).collect();
            let request = String::from_utf8(request).expect("text");
            recorded.lock().expect("no panic holds it").push(request);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
            stream.flush()?;
        }
        match stream.read(&mut chunk)? {
            0 => return Ok(()),
            read => bytes.extend_from_slice(&chunk[..read]),
        }
    }
}

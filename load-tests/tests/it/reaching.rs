//! Targets that are hard to reach: several addresses, a short listen backlog, no accepts at all.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use warrior_load::result::RunResult;

use crate::delay::{Behaviour, delay_server};
use crate::scratch::Scratch;

/// A listener that lets the kernel hold so many connections that were not accepted.
fn listener(backlog: i32) -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let socket = socket2::SockRef::from(&listener);
    socket.listen(backlog).expect("ours");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    (listener, url)
}

#[test]
fn a_name_is_reached_at_whichever_address_answers() {
    let server = delay_server(Behaviour::fixed(Duration::ZERO));
    let url = format!("http://localhost:{}/", server.address.port());
    let (code, text) = Scratch::new().load(&["run", "--url", &url, "--rate", "20", "--for", "1s"]);
    assert_eq!(code, 0, "{text}");
}

#[test]
fn an_admin_listener_that_is_not_there_is_said() {
    let server = delay_server(Behaviour::fixed(Duration::ZERO));
    let (gone, admin) = listener(1);
    drop(gone);
    let arguments = ["run", "--url", &server.url(), "--rate", "20", "--for", "1s"];
    let (code, text) = Scratch::new().load(&[&arguments[..], &["--admin", &admin]].concat());
    assert_eq!(code, 0, "{text}");
    let said = format!("no figures came from --admin {admin}: cannot reach {admin}");
    assert!(text.contains(&said), "{said} in {text}");
}

#[test]
fn a_backlog_of_five_and_one_connection_at_a_time_is_no_fault_of_the_generator() {
    let (listener, url) = listener(5);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // A client that goes away is no fault of this test.
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let (code, text) = Scratch::new().load(&["run", "--url", &url, "--rate", "60", "--for", "1s"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("60 of 60 as prescribed"), "{text}");
}

#[test]
fn a_target_that_accepts_nothing_is_counted_to_the_target() {
    let (_listener, url) = listener(0);
    let scratch = Scratch::new();
    let profile = scratch.profile(
        "name='get'\ntimeout='300ms'\n[[scenario]]\nname='get'\npath='/'\n\
         arrivals=[{rate=20,for='1s'}]\n",
    );
    let arguments = ["run", "--url", &url, "--profile", &profile];
    let (code, text) = scratch.load(&arguments);
    assert_eq!(code, 3, "{text}");
    assert!(!text.contains("INVALID"), "{text}");
    let total = RunResult::read(&scratch.file("json"))
        .expect("a result")
        .total;
    let unsent = total.unsent.get("no connection in time").copied();
    assert!(unsent > Some(10), "{unsent:?}: {text}");
    // What was waited for in vain stays in the latency, sent or not.
    let latency = total.latency.expect("twenty waited");
    assert_eq!(latency.count, 20);
    assert!(latency.min_us >= 300_000, "{} us", latency.min_us);
}

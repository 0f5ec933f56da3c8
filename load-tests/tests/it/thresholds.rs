//! Thresholds, and runs in which nothing worked: exit code 3.

use std::time::Duration;

use crate::delay::{Behaviour, delay_server};
use crate::scratch::Scratch;

#[test]
fn a_missed_threshold_is_3_and_says_what_was_measured() {
    let server = delay_server(Behaviour::fixed(Duration::from_millis(5)));
    let arguments = [
        "run",
        "--url",
        &server.url(),
        "--rate",
        "50",
        "--for",
        "1s",
        "--threshold",
        "p50 < 2ms",
        "--threshold",
        "rate > 1",
    ];
    let scratch = Scratch::new();
    let (code, text) = scratch.load(&arguments);
    assert_eq!(code, 3, "{text}");
    assert!(
        text.contains("threshold missed: p50 < 2ms (measured"),
        "{text}"
    );
    // Each limit is a line in the chart of its figure.
    let page = std::fs::read_to_string(scratch.file("html")).expect("a page");
    for limit in ["%\">p50 &lt; 2ms</span>", "%\">rate &gt; 1</span>"] {
        assert_eq!(page.matches(limit).count(), 1, "{limit} in {page}");
    }
}

#[test]
fn a_run_in_which_nothing_worked_is_3_whatever_its_thresholds() {
    let status = |status| {
        delay_server(Behaviour {
            status: Box::new(move |_| status),
            ..Behaviour::fixed(Duration::ZERO)
        })
        .url()
    };
    for (url, what) in [
        (status(404), "404 not prescribed"),
        (status(503), "503 refused"),
        (status(0), "cut"),
        (tls_port(), "not HTTP"),
    ] {
        for thresholds in [&[][..], &["--threshold", "late >= 0"]] {
            let arguments = ["run", "--url", &url, "--rate", "20", "--for", "1s"];
            let (code, text) = Scratch::new().load(&[&arguments[..], thresholds].concat());
            assert_eq!(code, 3, "{what}: {text}");
            assert!(text.contains("nothing worked"), "{what}: {text}");
            assert!(!text.contains("PASSED"), "{what}: {text}");
        }
    }
}

/// Where TLS is spoken: what is no ClientHello is answered with an alert.
fn tls_port() -> String {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // A client that goes away is no fault of this test.
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"\x15\x03\x01\x00\x02\x02\x46");
        }
    });
    url
}

#[test]
fn a_scenario_of_which_nothing_worked_is_3_and_named() {
    let server = delay_server(Behaviour::fixed(Duration::ZERO));
    let scratch = Scratch::new();
    let profile = scratch.profile(
        "name='two'\nthresholds=['success >= 10%', 'good.p99 < 60s']\n\
         [[scenario]]\nname='good'\npath='/'\narrivals=[{rate=20,for='1s'}]\n\
         [[scenario]]\nname='bad'\npath='/'\nexpect=[201]\narrivals=[{rate=20,for='1s'}]\n",
    );
    let (code, text) = scratch.load(&["run", "--url", &server.url(), "--profile", &profile]);
    assert_eq!(code, 3, "{text}");
    let missed = "threshold missed: bad.success > 0% (measured 0 %)";
    assert!(text.contains(missed), "{text}");
    let page = std::fs::read_to_string(scratch.file("html")).expect("a page");
    // The limit of a row is a line among the rows.
    assert_eq!(page.matches("%\">good.p99 &lt; 60s</span>").count(), 1);
    for part in [
        "20 of 40 not as prescribed",
        "200 not prescribed",
        "For example: <code>GET /",
    ] {
        let at = page
            .find(part)
            .unwrap_or_else(|| panic!("{part} in {page}"));
        assert!(
            at < page.find("Endpoints").expect("a heading"),
            "{part} comes too late"
        );
    }
}

#[test]
fn without_thresholds_99_of_100_answers_must_be_right() {
    let every = |n: u64| {
        delay_server(Behaviour {
            status: Box::new(move |number| if number % n == 0 { 500 } else { 200 }),
            ..Behaviour::fixed(Duration::ZERO)
        })
        .url()
    };
    let run =
        |url: &str| Scratch::new().load(&["run", "--url", url, "--rate", "200", "--for", "1s"]);
    let (code, text) = run(&every(50));
    assert_eq!(code, 3, "{text}");
    let missed = "threshold missed: success >= 99% (measured 98 %)";
    assert!(text.contains(missed), "{text}");
    let (code, text) = run(&every(200));
    assert_eq!(code, 0, "{text}");
}

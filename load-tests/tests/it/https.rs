//! https, credentials that no file keeps, and a document on standard output.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use warrior_load::result::RunResult;

use crate::recorder::Recorder;
use crate::scratch::{PROGRAM, Scratch};

/// A server whose certificate for `localhost` an authority of the tests has signed, and the authority's PEM.
fn encrypted() -> (Recorder, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(params, key).expect("a certificate");
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    let certificate = params.signed_by(&key, &authority).expect("a certificate");
    let private = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .expect("a certificate and its key");
    (Recorder::start_tls(config), authority.pem())
}

const QUICK: [&str; 5] = ["run", "--rate", "20", "--for", "1s"];

#[test]
fn an_https_target_is_trusted_by_its_authority_or_not_at_all() {
    let (server, pem) = encrypted();
    let scratch = Scratch::new();
    let ca = scratch.0.join("ca.pem");
    std::fs::write(&ca, pem).expect("written");
    let ca = ca.display().to_string();
    let url = format!("{}/x", server.url);
    let run = |scratch: &Scratch, more: &[&str]| {
        scratch.load(&[&QUICK[..], &["--url", &url], more].concat())
    };
    let (code, text) = run(&Scratch::new(), &[]);
    assert_eq!(code, 2, "{text}");
    assert!(
        text.contains("UnknownIssuer") && text.contains("--ca FILE"),
        "{text}"
    );
    assert!(server.requests().is_empty());
    let (code, text) = run(&scratch, &["--ca", &ca]);
    assert_eq!(code, 0, "{text}");
    assert!(!text.contains("VERIFIED"), "{text}");
    assert_eq!(server.requests().len(), 20);
    let result = RunResult::read(&scratch.file("json")).expect("a result");
    let tls = result.setup.tls.expect("https");
    assert!(tls.verified && tls.ca.is_some_and(|file| file.path == ca));
    let careless = Scratch::new();
    let (code, text) = run(&careless, &["--insecure"]);
    assert_eq!(code, 0, "{text}");
    let pages =
        ["html", "md"].map(|end| std::fs::read_to_string(careless.file(end)).expect("a page"));
    for said in pages.iter().chain([&text]) {
        assert!(said.contains("TLS WAS NOT VERIFIED (--insecure)"), "{said}");
    }
    // A stored run is trusted again as it was.
    let (_, text) =
        Scratch::new().load(&["reproduce", &scratch.file("json").display().to_string()]);
    assert!(text.contains("20 of 20 as prescribed"), "{text}");
    let plain = Recorder::start();
    let (code, text) =
        Scratch::new().load(&[&QUICK[..], &["--url", &plain.url, "--insecure"]].concat());
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("have no effect: no URL begins with https://"),
        "{text}"
    );
}

fn assert_nowhere(directory: &Path, secrets: &[&str]) {
    for entry in std::fs::read_dir(directory).expect("ours").flatten() {
        let text = std::fs::read_to_string(entry.path()).expect("text");
        for secret in secrets {
            assert!(
                !text.contains(secret),
                "{secret} in {}",
                entry.path().display()
            );
        }
    }
}

#[test]
fn credentials_are_sent_and_kept_nowhere() {
    let server = Recorder::start();
    let url = server.url.replace("://", "://ann:s%33cret@");
    let scratch = Scratch::new();
    let (code, text) = scratch.load(&[&QUICK[..], &["--url", &url]].concat());
    assert_eq!(code, 0, "{text}");
    // base64 of ann:s3cret, as curl sends it.
    let header = "authorization: Basic YW5uOnMzY3JldA==";
    let requests = server.requests();
    assert!(
        requests.iter().all(|request| request.contains(header)),
        "{requests:?}"
    );
    assert!(
        requests
            .iter()
            .all(|request| request.contains("host: localhost:"))
    );
    let secrets = ["s%33cret", "s3cret", "YW5uOnMzY3JldA"];
    assert_nowhere(&scratch.0, &secrets);
    assert!(
        secrets.iter().all(|secret| !text.contains(secret)),
        "{text}"
    );
    let result = scratch.file("json").display().to_string();
    let (code, text) = Scratch::new().load(&["reproduce", &result]);
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("had credentials, which are not kept"),
        "{text}"
    );
    let (_, text) = Scratch::new().load(&["reproduce", &result, "--url", &url]);
    assert!(text.contains("20 of 20 as prescribed"), "{text}");
}

#[test]
fn a_header_that_is_a_secret_is_kept_nowhere() {
    let server = Recorder::start();
    let scratch = Scratch::new();
    let secret = "Authorization: Bearer s3cret";
    let more = ["--url", &server.url, "--header", secret];
    let (code, text) = scratch.load(&[&QUICK[..], &more].concat());
    assert_eq!(code, 0, "{text}");
    let requests = server.requests();
    let sent = "authorization: Bearer s3cret";
    assert!(
        requests.iter().all(|request| request.contains(sent)),
        "{requests:?}"
    );
    assert_nowhere(&scratch.0, &["s3cret"]);
    let result = scratch.file("json").display().to_string();
    let (code, text) = Scratch::new().load(&["reproduce", &result]);
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("`Authorization` was sent and not kept"),
        "{text}"
    );
    let (_, text) = Scratch::new().load(&["reproduce", &result, "--header", secret]);
    assert!(text.contains("20 of 20 as prescribed"), "{text}");
}

#[test]
fn standard_output_is_one_document_where_it_is_asked_for() {
    let server = Recorder::start();
    let scratch = Scratch::new();
    let output = Command::new(PROGRAM)
        .args(QUICK)
        .args([
            "--json",
            "--lateness-max",
            "60s",
            "--url",
            &server.url,
            "--out",
        ])
        .arg(&scratch.0)
        .output()
        .expect("the program runs");
    let document: RunResult = serde_json::from_slice(&output.stdout).expect("JSON alone");
    assert_eq!(document.total.succeeded, 20);
    assert_eq!(
        document.exit as i32,
        output.status.code().expect("it ended by itself")
    );
    let lines = String::from_utf8_lossy(&output.stderr);
    for part in ["20 of 20 as prescribed (100 %), 20.0/s", "p95 ", "report: "] {
        assert!(lines.contains(part), "{part} in {lines}");
    }
}

//! Settings: what is malformed stops the start with a sentence that names it.

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use crate::program::{refusal, serve};
use crate::supervisor::{Scratch, WARRIOR_API};

#[test]
fn a_malformed_setting_stops_the_start_and_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().port().to_string();
    for (name, value) in [
        ("PORT", "abc"),
        ("PORT", "70000"),
        ("PORT", ""),
        ("ADMIN_PORT", "-1"),
        ("HOST", "nowhere"),
        ("ADMIN_HOST", "127.0.0.1:1"),
        ("DB_MODE", "local"),
        ("DB_MODE", "mysql"),
        ("WORKERS", "2"),
        ("WORKERS", "many"),
        ("WORKERS_CREATE", "0"),
        ("DB_POOL_MIN", "4"),
        ("DB_POOL_MAX", "2"),
        ("BATCH_MAX", "0"),
        ("QUEUE_MAX", "0"),
        ("MAX_CONNECTIONS", "0"),
        ("MEMORY_LIMIT_MIB", "15"),
        ("REQUEST_DEADLINE_MS", "5"),
        ("REQUEST_DEADLINE_MS", "3s"),
        ("DB_CONNECT_TIMEOUT_MS", "0"),
        ("HEAD_TIMEOUT_MS", "0"),
        ("DRAIN_DELAY_MS", "soon"),
        ("DRAIN_TIMEOUT_MS", "-1"),
        ("POSTGRES_PORT", "65536"),
        ("POSTGRES_TLS", "verify-full"),
        ("POSTGRES_TLS", "require"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "loud"),
    ] {
        let said = refusal(serve().env(name, value));
        assert!(said.contains(name), "{name}={value}: {said}");
    }
    let said = refusal(serve().env("PORT", &taken));
    assert!(said.contains("PORT") && said.contains(&taken), "{said}");
    let said = refusal(serve().env("ADMIN_PORT", &taken));
    assert!(
        said.contains("ADMIN_PORT") && said.contains(&taken),
        "{said}"
    );
}

#[test]
fn a_secret_that_is_missing_or_given_twice_stops_the_start() {
    let files = Scratch::new();
    let said = refusal(serve().env_remove("IDEMPOTENCY_SECRET"));
    assert!(said.contains("IDEMPOTENCY_SECRET is not set"), "{said}");
    assert!(said.contains("openssl rand"), "{said}");
    for name in ["POSTGRES_PASSWORD", "IDEMPOTENCY_SECRET"] {
        let said = refusal(
            serve()
                .env(name, "hunter2")
                .env(format!("{name}_FILE"), "/f"),
        );
        let expected = format!("{name} and {name}_FILE are both set");
        assert!(
            said.contains(&expected) && !said.contains("hunter2"),
            "{said}"
        );
    }
    let empty = files.join("empty");
    fs::write(&empty, "\n").unwrap();
    for file in [empty, files.join("missing"), files.join(".")] {
        let mut command = serve();
        command.env_remove("IDEMPOTENCY_SECRET");
        let said = refusal(command.env("IDEMPOTENCY_SECRET_FILE", &file));
        assert!(said.contains(file.to_str().unwrap()), "{said}");
    }
}

#[test]
fn a_ca_file_that_cannot_be_used_stops_the_start() {
    let files = Scratch::new();
    let garbage = files.join("garbage.pem");
    fs::write(&garbage, "not a certificate").unwrap();
    for file in [garbage, files.join("missing.pem"), files.join(".")] {
        for mode in ["verify-ca", "verify-full"] {
            let said = refusal(
                serve()
                    .env("POSTGRES_TLS", mode)
                    .env("POSTGRES_TLS_CA", &file),
            );
            assert!(said.contains("POSTGRES_TLS_CA"), "{said}");
            assert!(said.contains(file.to_str().unwrap()), "{said}");
        }
    }
}

#[test]
fn a_malformed_env_file_stops_the_start_without_showing_it() {
    let files = Scratch::new();
    for text in [
        "POSTGRES_PASSWORD='hunter2\n",
        "PORT=0\nPOSTGRES_PASSWORD hunter2\n",
        "PORT=0\n\nPOSTGRES_PASSWORD=hunter2 and more\n",
    ] {
        fs::write(files.join(".env"), text).unwrap();
        let said = refusal(serve().current_dir(files.join(".")));
        assert!(said.contains(".env"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    // What it holds counts, and the environment counts more.
    fs::write(files.join(".env"), "WORKERS=2\nLOG_LEVEL=info\n").unwrap();
    let mut command = serve();
    command.env_remove("WORKERS").current_dir(files.join("."));
    let said = refusal(&mut command);
    assert!(said.contains("WORKERS is 2"), "{said}");
    let said = refusal(command.env("WORKERS", "1"));
    assert!(said.contains("WORKERS is 1"), "{said}");
}

#[test]
fn the_version_is_told() {
    for arguments in [&["--version"][..], &["serve", "--version"]] {
        let output = Command::new(WARRIOR_API)
            .args(arguments)
            .current_dir("/")
            .output()
            .unwrap();
        assert!(output.status.success());
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.starts_with("warrior-api"), "{said}");
        assert!(said.trim().ends_with(env!("CARGO_PKG_VERSION")), "{said}");
    }
}

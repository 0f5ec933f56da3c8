//! Settings: what is malformed stops the start with a sentence that names it.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
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
        ("HOST", "[127.0.0.1]"),
        ("ADMIN_HOST", "127.0.0.1:1"),
        ("DB_MODE", "local"),
        ("DB_MODE", "mysql"),
        ("WORKERS", "2"),
        ("WORKERS", "many"),
        ("WORKERS_CREATE", "0"),
        ("GUNICORN_WORKERS", "2"),
        ("GUNICORN_WORKERS", "many"),
        ("DB_POOL_MIN", "-1"),
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
        ("DRAIN_DELAY_MS", "600001"),
        ("DRAIN_TIMEOUT_MS", "-1"),
        ("DRAIN_TIMEOUT_MS", "18446744073709551615"),
        ("POSTGRES_HOST", ""),
        ("POSTGRES_DB", ""),
        ("POSTGRES_USER", ""),
        ("POSTGRES_MONITOR_USER", ""),
        ("POSTGRES_MONITOR_INTERVAL_MS", "100"),
        ("POSTGRES_MONITOR_INTERVAL_MS", "5000"),
        ("POSTGRES_PORT", "65536"),
        ("POSTGRES_PORT", "0"),
        ("POSTGRES_TLS", "verify-full"),
        ("POSTGRES_TLS", "require"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "loud"),
    ] {
        let mut command = serve();
        command.env_remove("WORKERS");
        let said = refusal(command.env(name, value));
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
fn a_secret_that_is_weak_empty_or_given_twice_stops_the_start() {
    let files = Scratch::new();
    for name in [
        "POSTGRES_PASSWORD",
        "POSTGRES_MONITOR_PASSWORD",
        "IDEMPOTENCY_SECRET",
    ] {
        let file_name = format!("{name}_FILE");
        let said = refusal(serve().env(name, "hunter2").env(&file_name, "/f"));
        let expected = format!("{name} and {file_name} are both set");
        assert!(
            said.contains(&expected) && !said.contains("hunter2"),
            "{said}"
        );
        let said = refusal(serve().env(name, ""));
        assert!(
            said.contains(&format!("{name} is set to nothing")),
            "{said}"
        );
        let said = refusal(serve().env_remove(name).env(&file_name, ""));
        assert!(
            said.contains(&format!("{file_name} is set to nothing")),
            "{said}"
        );
        let empty = files.join("empty");
        fs::write(&empty, "\n").unwrap();
        for file in [empty, files.join("missing"), files.join(".")] {
            let said = refusal(serve().env_remove(name).env(&file_name, &file));
            assert!(said.contains(&file_name), "{said}");
            assert!(said.contains(file.to_str().unwrap()), "{said}");
        }
    }
    for weak in [
        "short",
        "fifteen-bytes-0",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ] {
        let said = refusal(serve().env("IDEMPOTENCY_SECRET", weak));
        assert!(said.contains("IDEMPOTENCY_SECRET can be guessed"), "{said}");
        assert!(
            said.contains("openssl rand -hex 32") && !said.contains(weak),
            "{said}"
        );
    }
    let said = refusal(schema().env("POSTGRES_OWNER_PASSWORD", ""));
    assert!(
        said.contains("POSTGRES_OWNER_PASSWORD is set to nothing"),
        "{said}"
    );
}

#[test]
fn what_is_not_taken_as_it_stands_is_said() {
    // A drain that is too long stops the start after everything else was said.
    let said = |command: &mut Command| {
        command.env("DRAIN_DELAY_MS", "600001");
        refusal(command)
    };
    let mut command = serve();
    command.env_remove("WORKERS").env("GUNICORN_WORKERS", "9");
    let heard = said(command.env("DB_POOL_MIN", "12"));
    let expected = "GUNICORN_WORKERS is taken as WORKERS: 9 worker threads in one process\n";
    assert!(heard.contains(expected), "{heard}");
    assert!(
        heard.contains("DB_POOL_MIN is 12, more than there ever are: 11"),
        "{heard}"
    );
    let heard = said(
        serve()
            .env("GUNICORN_WORKERS", "auto")
            .env("POSTGRES_TLS_CA", "/ca.pem"),
    );
    assert!(heard.contains("both set: WORKERS counts"), "{heard}");
    assert!(heard.contains("POSTGRES_TLS_CA has no effect"), "{heard}");
    let heard = said(
        serve()
            .env("WORKERS", "auto")
            .env("DB_POOL_MIN", "4")
            .env("POSTGRES_HOST", "[::1]"),
    );
    assert!(
        !heard.contains("WORKERS") && !heard.contains("DB_POOL_MIN"),
        "{heard}"
    );

    let heard = said(
        program(&["up"])
            .env("POSTGRES_PORT", "5432")
            .env("POSTGRES_PASSWORD", "hunter2"),
    );
    assert!(
        heard.contains("PgBouncer: it listens on 5432, PostgreSQL itself on 6433"),
        "{heard}"
    );
    assert!(
        heard.contains("without effect here, and read by `serve`: POSTGRES_PASSWORD\n"),
        "{heard}"
    );
    assert!(!heard.contains("hunter2"), "{heard}");
}

#[test]
fn secrets_that_everybody_can_read_are_said() {
    let files = Scratch::new();
    let folder = files.join(".");
    let open = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let secret = files.join("idempotency.secret");
    fs::write(&secret, "0123456789abcdef\n").unwrap();
    fs::write(files.join(".env"), "POSTGRES_PASSWORD=hunter2\n").unwrap();
    let said = || {
        let mut command = serve();
        command
            .env_remove("IDEMPOTENCY_SECRET")
            .current_dir(&folder);
        command
            .env("IDEMPOTENCY_SECRET_FILE", &secret)
            .env("DRAIN_DELAY_MS", "600001");
        refusal(&mut command)
    };
    open(&folder, 0o755);
    for (mode, is_said) in [(0o644, true), (0o440, false), (0o600, false)] {
        open(&secret, mode);
        open(&files.join(".env"), mode);
        let heard = said();
        for path in [secret.to_str().unwrap(), ".env"] {
            let expected = format!("chmod o-rwx {path}");
            assert_eq!(heard.contains(&expected), is_said, "{mode:o}: {heard}");
        }
        assert!(
            !heard.contains("hunter2") && !heard.contains("0123456789"),
            "{heard}"
        );
    }
    open(&secret, 0o644);
    open(&folder, 0o700);
    assert!(
        !said().contains("chmod"),
        "a closed folder closes what is in it"
    );
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
        "PORT=0\n\nPOSTGRES_PASSWORD='hunter2' and more\n",
        "POSTGRES_PASSWORD=hunter2$word\n",
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
    let said = refusal(command.arg("--workers=0"));
    assert!(said.contains("WORKERS is 0"), "{said}");
    // An empty value is one; what looks as if it were meant for the program is said.
    fs::write(files.join(".env"), "PORT=\n").unwrap();
    let said = refusal(serve().env_remove("PORT").current_dir(files.join(".")));
    assert!(said.contains("<PORT>"), "{said}");
    fs::write(
        files.join(".env"),
        "GUNICORN_TIMEOUT=30\nDB_POLL_MIN=4\nFOO=1\nDRAIN_DELAY_MS=600001\n",
    )
    .unwrap();
    let said = refusal(serve().current_dir(files.join(".")));
    assert!(
        said.contains("no command reads: GUNICORN_TIMEOUT, DB_POLL_MIN;"),
        "{said}"
    );
    // Commands with a command of their own take it, too.
    fs::write(
        files.join(".env"),
        "POSTGRES_DIRECT_PORT=0\nPOSTGRES_PASSWORD='pa$word'\n",
    )
    .unwrap();
    let said = refusal(schema().current_dir(files.join(".")));
    assert!(said.contains("POSTGRES_DIRECT_PORT is 0"), "{said}");
    let said = refusal(
        schema()
            .arg("--postgres-direct-port=70000")
            .current_dir(files.join(".")),
    );
    assert!(said.contains("70000"), "{said}");
}

/// The program with these arguments, without this process's settings and without a `.env`.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(WARRIOR_API);
    command.env_clear().current_dir("/").args(arguments);
    command
}

fn schema() -> Command {
    program(&["schema", "status"])
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

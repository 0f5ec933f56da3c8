//! TLS to the database: a PostgreSQL with certificates of the tests' own. A certificate is verified,
//! or there is no connection.

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use postgres::Client;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use warrior_api::config::{Database, Tls};
use warrior_api::store::{LoginError, connect, schema};
use warrior_stack::proxy::Proxy;
use warrior_stack::{DATABASE, Endpoints};

use crate::faults::drill_encrypted;
use crate::server::TestServer;
use crate::supervisor::{Scratch, Supervisor, eventually};

/// What the server's certificate says. It is dialled as `localhost`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Certificate {
    Right,
    ForAddress,
    OtherName,
    Expired,
    SelfSigned,
}

/// A PostgreSQL that shows one certificate at a time.
struct Server {
    stack: Supervisor,
    files: PathBuf,
    authority: Authority,
    shows: Option<Certificate>,
}

type Authority = CertifiedIssuer<'static, KeyPair>;

#[test]
fn the_right_certificate_is_accepted() {
    let server = showing(Certificate::Right);
    for tls in [server.verify_full(), server.verify_ca()] {
        assert!(is_encrypted(
            &mut connect(&server.login("localhost", tls)).unwrap()
        ));
    }
    let mut plain = connect(&server.login("localhost", Tls::Off)).unwrap();
    assert!(!is_encrypted(&mut plain));
}

#[test]
fn a_name_is_compared_under_verify_full_only() {
    let server = showing(Certificate::OtherName);
    let refused = refusal(&server.login("localhost", server.verify_full()));
    assert!(refused.contains("not valid for"), "{refused}");
    let login = server.login("localhost", server.verify_ca());
    assert!(is_encrypted(&mut connect(&login).unwrap()));
}

#[test]
fn an_address_is_a_name_too() {
    let server = showing(Certificate::ForAddress);
    let login = server.login("127.0.0.1", server.verify_full());
    assert!(is_encrypted(&mut connect(&login).unwrap()));
    let refused = refusal(&server.login("localhost", server.verify_full()));
    assert!(refused.contains("not valid for"), "{refused}");
}

#[test]
fn another_authority_is_refused() {
    let server = showing(Certificate::Right);
    let other = server.write("other.pem", &authority().pem());
    for tls in [Tls::VerifyFull(other.clone()), Tls::VerifyCa(other.clone())] {
        let refused = refusal(&server.login("localhost", tls));
        assert!(refused.contains("UnknownIssuer"), "{refused}");
    }
    // Of several authorities in one file, one is enough.
    let both = [authority().pem(), server.authority.pem()].concat();
    let both = Tls::VerifyFull(server.write("both.pem", &both));
    assert!(is_encrypted(
        &mut connect(&server.login("localhost", both)).unwrap()
    ));
}

#[test]
fn another_authority_is_said_at_the_start() {
    let server = showing(Certificate::Right);
    let other = server.write("another.pem", &authority().pem());
    let login = server.login("localhost", Tls::Off);
    let said = crate::start::said(
        &login,
        &[
            ("POSTGRES_TLS", "verify-full"),
            ("POSTGRES_TLS_CA", other.to_str().unwrap()),
        ],
    );
    for word in ["UnknownIssuer", "set POSTGRES_TLS_CA", "openssl s_client"] {
        assert!(said.contains(word), "{word}: {said}");
    }
}

#[test]
fn a_self_signed_or_expired_certificate_is_refused() {
    for (certificate, word) in [
        (Certificate::SelfSigned, "UnknownIssuer"),
        (Certificate::Expired, "expired"),
    ] {
        let server = showing(certificate);
        for tls in [server.verify_full(), server.verify_ca()] {
            let refused = refusal(&server.login("localhost", tls));
            assert!(refused.contains(word), "{refused}");
        }
    }
}

#[test]
fn a_server_without_tls_is_refused_when_tls_is_asked_for() {
    let server = showing(Certificate::Right);
    for tls in [server.verify_full(), server.verify_ca()] {
        // PgBouncer here speaks clear text only.
        let mut login = server.endpoints().runtime(DATABASE);
        login.tls = tls;
        let refused = refusal(&login);
        assert!(refused.contains("does not support TLS"), "{refused}");
    }
}

#[test]
fn a_whole_server_serves_over_tls_or_says_why_not() {
    let server = showing(Certificate::Right);
    let right = TestServer::start(&server.login("localhost", server.verify_full()));
    right.await_ready();
    right.post(&crate::api::warrior("n")).json(201);

    let other = server.write("another.pem", &authority().pem());
    let wrong = TestServer::start(&server.login("localhost", Tls::VerifyFull(other)));
    eventually("/ready names the reason", || {
        let answer = wrong.ask_admin("/ready");
        assert_eq!(answer.status, 503);
        answer.text().contains("UnknownIssuer")
    });
    let refused = wrong.post(&crate::api::warrior("n"));
    refused.problem(503, "unavailable");
    // What is wrong is told to the operator, not to the client.
    assert!(!refused.text().contains("Issuer"), "{}", refused.text());
}

#[test]
fn a_reply_that_is_lost_in_tls_costs_no_worker() {
    let server = showing(Certificate::Right);
    let mut login = server.login("localhost", server.verify_full());
    let proxy = Proxy::to(login.port).unwrap();
    login.port = proxy.port;
    let served = TestServer::with(&login, |server| {
        server.deadline = Duration::from_millis(500)
    });
    drill_encrypted(&served, &proxy);
}

#[test]
fn verify_ca_refuses_an_untrusted_chain_whatever_its_name() {
    let server = showing(Certificate::OtherName);
    let other = server.write("untrusted.pem", &authority().pem());
    let refused = refusal(&server.login("localhost", Tls::VerifyCa(other)));
    assert!(refused.contains("UnknownIssuer"), "{refused}");
}

#[test]
fn a_ca_file_that_cannot_be_used_is_named() {
    let files = Scratch::new();
    let broken = [
        ("empty.pem", ""),
        ("garbage.pem", "not a certificate\n"),
        ("half.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n"),
        (
            "no-der.pem",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ),
        ("key.pem", &KeyPair::generate().unwrap().serialize_pem()),
    ];
    let mut paths = vec![files.join("missing.pem"), files.join(".")];
    for (name, text) in broken {
        fs::write(files.join(name), text).unwrap();
        paths.push(files.join(name));
    }
    for path in paths {
        for tls in [Tls::VerifyFull(path.clone()), Tls::VerifyCa(path.clone())] {
            let mut login = crate::supervisor::shared().runtime(DATABASE);
            login.tls = tls;
            let error = connect(&login).err().expect("no connection").to_string();
            assert!(error.starts_with("POSTGRES_TLS_CA: "), "{error}");
            assert!(error.contains(path.to_str().unwrap()), "{error}");
            assert!(error.contains("it must be a PEM file"), "{error}");
        }
    }
}

impl Server {
    fn start() -> Self {
        let stack = Supervisor::throw_away();
        let mut owner = warrior_api::store::connect_direct(&stack.endpoints.owner(DATABASE))
            .expect("login as the owner");
        schema::apply(&mut owner, &mut |_| {}).expect("schema apply");
        // A static is never dropped, but the stack's own folder goes with the stack.
        let files = stack.endpoints.data.clone();
        let authority = authority();
        fs::write(files.join("ca.pem"), authority.pem()).expect("it is our folder");
        Self {
            stack,
            files,
            authority,
            shows: None,
        }
    }

    fn show(&mut self, certificate: Certificate) {
        if self.shows == Some(certificate) {
            return;
        }
        let (pem, key) = issue(&self.authority, certificate);
        let mut admin = connect(&self.endpoints().superuser(DATABASE)).expect("login");
        // The server refuses a key that others may read, so it writes the files itself.
        let hand_over = "select set_config('test.certificate', $1, false),
                                set_config('test.key', $2, false)";
        admin.query_one(hand_over, &[&pem, &key]).expect("settings");
        for statement in [include_str!("tls/show.sql"), "alter system set ssl = on"] {
            admin.batch_execute(statement).expect("a superuser may");
        }
        let loaded_at = "select pg_conf_load_time()";
        let before: SystemTime = admin.query_one(loaded_at, &[]).expect("a time").get(0);
        admin
            .batch_execute("select pg_reload_conf()")
            .expect("a superuser may");
        // The postmaster reads its files before it lets anybody in again.
        eventually("the configuration is read again", || {
            let now: SystemTime = admin.query_one(loaded_at, &[]).expect("a time").get(0);
            now > before
        });
        self.shows = Some(certificate);
    }

    fn endpoints(&self) -> &Endpoints {
        &self.stack.endpoints
    }

    /// PostgreSQL itself, dialled as `host`.
    fn login(&self, host: &str, tls: Tls) -> Database {
        let mut login = self.endpoints().runtime_direct(DATABASE);
        login.host = host.to_owned();
        login.tls = tls;
        login
    }

    fn verify_full(&self) -> Tls {
        Tls::VerifyFull(self.files.join("ca.pem"))
    }

    fn verify_ca(&self) -> Tls {
        Tls::VerifyCa(self.files.join("ca.pem"))
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.files.join(name);
        fs::write(&path, text).expect("it is our folder");
        path
    }
}

/// The server, for one test at a time, since all of them see the same certificate.
fn showing(certificate: Certificate) -> MutexGuard<'static, Server> {
    static SERVER: OnceLock<Mutex<Server>> = OnceLock::new();
    let server = SERVER.get_or_init(|| Mutex::new(Server::start()));
    // A test that failed with the server in hand has left it as it was.
    let mut server = server.lock().unwrap_or_else(PoisonError::into_inner);
    server.show(certificate);
    server
}

/// An authority unlike any other, also by name.
fn authority() -> Authority {
    let mut params = CertificateParams::default();
    let name = uuid::Uuid::new_v4().to_string();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(params, key).expect("a certificate")
}

/// A certificate and its key, both as PEM.
fn issue(authority: &Authority, certificate: Certificate) -> (String, String) {
    let name = match certificate {
        Certificate::ForAddress => "127.0.0.1",
        Certificate::OtherName => "elsewhere.test",
        _ => "localhost",
    };
    let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
    if certificate == Certificate::Expired {
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(2001, 1, 1);
    }
    let key = KeyPair::generate().expect("a key");
    let issued = match certificate {
        Certificate::SelfSigned => params.self_signed(&key),
        _ => params.signed_by(&key, authority),
    };
    (issued.expect("a certificate").pem(), key.serialize_pem())
}

fn is_encrypted(client: &mut Client) -> bool {
    let sql = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
    client.query_one(sql, &[]).expect("it may look").get(0)
}

fn refusal(login: &Database) -> String {
    match connect(login) {
        Err(e @ LoginError::Refused { .. }) => e.to_string(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was let in"),
    }
}

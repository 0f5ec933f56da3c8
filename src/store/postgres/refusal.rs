//! Refusals of a login: from the SQLSTATE, a pooler's text or the fault of a certificate to what can be changed.

use std::error::Error;

use postgres::error::DbError;
use rustls::CertificateError;

use super::deadline::WithoutTls;
use super::error::{causes, chain};
use super::{pooler_texts, sqlstate};

/// What keeps a login out, told apart as far as somebody has to change something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The server's certificate is for another name.
    CertificateName,
    /// The server's certificate has expired.
    CertificateExpired,
    /// The server's certificate cannot be verified.
    Certificate,
    /// TLS was asked of a server that has none.
    NoTls,
    /// The server lets nobody in who comes this way: `pg_hba.conf`, or TLS alone.
    Way,
    /// The role, its password, or both.
    Credentials,
    /// No such role, or one that may not log in.
    Role,
    /// The role may not connect to this database.
    NoConnectRight,
    /// No such database.
    MissingDatabase,
    /// As many connections are open as may be.
    TooManyConnections,
    /// The database starts, or stops.
    CannotConnectNow,
    /// A pooler does not know a startup parameter.
    Parameter,
    /// Nobody answered, or said something else.
    Unreachable,
}

/// Texts of the client, which tells its own faults by nothing else: a password is asked for and there is none, or
/// the exchange of proofs failed.
const CLIENT_TEXTS: &[&str] = &["password missing", "authentication error"];

/// The function of PostgreSQL that compares a login with `pg_hba.conf`; its names are not translated.
const COMPARES_WITH_HBA: &str = "ClientAuthentication";
/// The one that looks the role up once the authentication has let it in.
const LOOKS_UP_ROLE: &str = "InitializeSessionUserId";
/// The one that looks at the database, and whether the role may connect to it.
const LOOKS_AT_DATABASE: &str = "CheckMyDatabase";

impl Refusal {
    /// The refusal behind an error.
    pub(super) fn of(error: &(dyn Error + 'static)) -> Self {
        let known = causes(error).find_map(|cause| {
            if let Some(e) = cause.downcast_ref::<DbError>() {
                let routine = e.routine().unwrap_or_default();
                return Some(Self::of_report(e.code().code(), e.message(), routine));
            }
            match cause.downcast_ref::<rustls::Error>() {
                Some(rustls::Error::InvalidCertificate(fault)) => Some(Self::of_certificate(fault)),
                Some(rustls::Error::NoCertificatesPresented) => Some(Self::Certificate),
                _ => cause.is::<WithoutTls>().then_some(Self::NoTls),
            }
        });
        known.unwrap_or_else(|| {
            let text = chain(error);
            match CLIENT_TEXTS.iter().any(|words| text.contains(words)) {
                true => Self::Credentials,
                false => Self::Unreachable,
            }
        })
    }

    fn of_report(sqlstate: &str, message: &str, routine: &str) -> Self {
        if sqlstate::is_pooler(sqlstate) {
            pooler_texts::refusal(message).unwrap_or(Self::Unreachable)
        } else if sqlstate::is_missing_database(sqlstate) {
            Self::MissingDatabase
        } else if sqlstate::is_too_many_connections(sqlstate) {
            Self::TooManyConnections
        } else if sqlstate::is_cannot_connect_now(sqlstate) {
            Self::CannotConnectNow
        } else if sqlstate::is_insufficient_privilege(sqlstate) && routine == LOOKS_AT_DATABASE {
            Self::NoConnectRight
        } else if !sqlstate::is_invalid_authorization(sqlstate) {
            Self::Unreachable
        } else if routine == COMPARES_WITH_HBA {
            Self::Way
        } else if routine == LOOKS_UP_ROLE {
            Self::Role
        } else {
            Self::Credentials
        }
    }

    fn of_certificate(fault: &CertificateError) -> Self {
        match fault {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::CertificateName
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                Self::CertificateExpired
            }
            _ => Self::Certificate,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_refusal_of_postgresql_is_told_by_its_sqlstate_whatever_the_language() {
        for (sqlstate, routine, refusal) in [
            ("28P01", "auth_failed", Refusal::Credentials),
            ("28000", "auth_failed", Refusal::Credentials),
            ("28000", LOOKS_UP_ROLE, Refusal::Role),
            ("28000", COMPARES_WITH_HBA, Refusal::Way),
            ("42501", LOOKS_AT_DATABASE, Refusal::NoConnectRight),
            ("42501", "aclcheck_error", Refusal::Unreachable),
            ("3D000", "InitPostgres", Refusal::MissingDatabase),
            ("53300", "InitProcess", Refusal::TooManyConnections),
            ("57P03", "ProcessStartupPacket", Refusal::CannotConnectNow),
            ("XX000", "InitPostgres", Refusal::Unreachable),
        ] {
            // Words that would tell another story.
            let message = "Passwort: Datenbank does not exist, too many";
            let told = Refusal::of_report(sqlstate, message, routine);
            assert_eq!(told, refusal, "{sqlstate} {routine}");
        }
    }

    #[test]
    fn a_refusal_of_pgbouncer_is_told_by_its_text() {
        for (message, refusal) in [
            ("unsupported startup parameter: options", Refusal::Parameter),
            ("SSL required", Refusal::Way),
            ("password authentication failed", Refusal::Credentials),
            ("SASL authentication failed", Refusal::Credentials),
            ("no such user: nobody", Refusal::Credentials),
            ("no such database: nowhere", Refusal::MissingDatabase),
            (
                "server login has been failing, cached error: database \"nowhere\" does not exist \
                 (server_login_retry)",
                Refusal::MissingDatabase,
            ),
            ("login rejected", Refusal::Way),
            (
                "server login has been failing, cached error: no pg_hba.conf entry for host \"10.0.0.2\", user \
                 \"password\", database \"warrior_api\", no encryption (server_login_retry)",
                Refusal::Way,
            ),
            (
                "server login has been failing, cached error: role \"nobody\" does not exist (server_login_retry)",
                Refusal::Role,
            ),
            (
                "server login has been failing, cached error: permission denied for database \"warrior_api\" \
                 (server_login_retry)",
                Refusal::NoConnectRight,
            ),
            (
                "server login has been failing, cached error: too many connections for role \"warrior\" \
                 (server_login_retry)",
                Refusal::TooManyConnections,
            ),
            (
                "no more connections allowed (max_client_conn)",
                Refusal::TooManyConnections,
            ),
            (
                "the database system is starting up",
                Refusal::CannotConnectNow,
            ),
            ("bouncer config error", Refusal::Unreachable),
        ] {
            assert_eq!(
                Refusal::of_report("08P01", message, ""),
                refusal,
                "{message}"
            );
        }
    }

    #[test]
    fn a_certificate_that_is_refused_is_told_by_its_fault_within_other_errors() {
        for (fault, refusal) in [
            (CertificateError::NotValidForName, Refusal::CertificateName),
            (CertificateError::Expired, Refusal::CertificateExpired),
            (CertificateError::UnknownIssuer, Refusal::Certificate),
        ] {
            let fault = rustls::Error::InvalidCertificate(fault);
            let error = io::Error::other(io::Error::other(fault));
            assert_eq!(Refusal::of(&error), refusal);
        }
        assert_eq!(Refusal::of(&io::Error::other(WithoutTls)), Refusal::NoTls);
        let gone = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(Refusal::of(&gone), Refusal::Unreachable);
    }
}

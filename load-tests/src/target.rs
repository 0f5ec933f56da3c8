//! The target of a run: the server that is asked.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::Uri;
use hyper::header::HeaderValue;
use percent_encoding::percent_decode_str;

use crate::tls::{Tls, Trust, is_untrusted};

/// How long a connection may take before a target counts as unreachable.
const REACH_TIMEOUT: Duration = Duration::from_secs(5);

/// Where requests go.
#[derive(Clone, Debug)]
pub struct Target {
    /// The address, resolved once: DNS is not part of what is measured. [`Target::reach`] chooses it.
    pub address: SocketAddr,
    /// Every address of the name, in the order of the resolver.
    addresses: Vec<SocketAddr>,
    /// The `Host` header.
    pub host: HeaderValue,
    /// The URL as it was given, without the credentials in it.
    pub url: String,
    /// The `Authorization` header that the credentials in the URL mean.
    pub authorization: Option<HeaderValue>,
    /// TLS, where the URL is https.
    pub tls: Option<Tls>,
    base: String,
}

/// The target accepts connections on none of its addresses.
#[derive(Debug, thiserror::Error)]
#[error("cannot reach {url}: {why}; {advice}")]
pub struct Unreachable {
    url: String,
    /// What each address said.
    why: String,
    advice: &'static str,
}

impl Target {
    /// Reads `http[s]://[user:password@]host[:port][/base]`, and trusts the system's certificates.
    pub fn parse(url: &str) -> anyhow::Result<Target> {
        Target::trusting(url, &Trust::System)
    }

    /// Reads the same, for a server whose certificate is trusted by other rules.
    pub fn trusting(url: &str, trust: &Trust) -> anyhow::Result<Target> {
        // First of all, so that no message holds them.
        let (url, credentials) = without_credentials(url);
        let uri: Uri = url
            .parse()
            .with_context(|| format!("--url `{url}` is not a URL"))?;
        let (is_tls, default_port) = match uri.scheme_str() {
            Some("http") => (false, 80),
            Some("https") => (true, 443),
            _ => bail!("--url `{url}` must begin with http:// or https://"),
        };
        let host = uri
            .host()
            .with_context(|| format!("--url `{url}` names no host"))?;
        let authority = uri.authority().map_or(host, |authority| authority.as_str());
        let port = match (uri.port_u16(), authority.strip_prefix(host)) {
            (Some(port), _) => port,
            (None, Some("" | ":")) => default_port,
            (None, _) => bail!("--url `{url}`: want a port from 0 to 65535 after the host"),
        };
        let bare = host.trim_matches(['[', ']']);
        let addresses: Vec<SocketAddr> = (bare, port)
            .to_socket_addrs()
            .with_context(|| format!("--url `{url}`: cannot resolve `{host}`"))?
            .collect();
        let address = *addresses
            .first()
            .with_context(|| format!("--url `{url}`: `{host}` has no address"))?;
        ensure!(
            uri.query().is_none(),
            "--url `{url}`: a query belongs to the request's path"
        );
        Ok(Target {
            address,
            addresses,
            host: HeaderValue::from_str(authority)?,
            authorization: credentials.map(|given| basic(&given)).transpose()?,
            tls: is_tls.then(|| Tls::to(bare, trust)).transpose()?,
            base: uri.path().trim_end_matches('/').to_owned(),
            url,
        })
    }

    /// The target at the first of its addresses that accepts a connection, tried in turn; no request is sent.
    ///
    /// # Errors
    /// When none does: what each of them said.
    pub fn reach(&self) -> Result<Target, Unreachable> {
        let (mut said, mut advice) = (Vec::new(), "is the server running there?");
        for address in &self.addresses {
            let why = match self.connect(*address) {
                Ok(()) => {
                    return Ok(Target {
                        address: *address,
                        ..self.clone()
                    });
                }
                Err(why) => why,
            };
            if is_untrusted(&why) {
                advice = "name the certificate of its authority with --ca FILE, or test without \
                          knowing who answers with --insecure";
            }
            said.push(format!("{address}: {why}"));
        }
        Err(Unreachable {
            url: self.url.clone(),
            why: said.join(", "),
            advice,
        })
    }

    fn connect(&self, address: SocketAddr) -> io::Result<()> {
        let mut stream = TcpStream::connect_timeout(&address, REACH_TIMEOUT)?;
        let Some(tls) = &self.tls else {
            return Ok(());
        };
        stream.set_read_timeout(Some(REACH_TIMEOUT))?;
        stream.set_write_timeout(Some(REACH_TIMEOUT))?;
        tls.shake_hands(&mut stream)
    }

    /// The request target for a path (with query) below the base.
    pub fn uri(&self, path: &str) -> anyhow::Result<Uri> {
        let whole = if self.base.is_empty() {
            path.to_owned()
        } else {
            format!("{}{path}", self.base)
        };
        ensure!(
            whole.starts_with('/'),
            "`{path}` is not a path; want one that begins with /"
        );
        ensure!(
            !whole.contains('#'),
            "`{path}` has a fragment, which no server sees; a # that is meant is written %23"
        );
        whole
            .parse()
            .with_context(|| format!("`{whole}` is not a valid path"))
    }
}

/// A URL without its credentials, and these.
fn without_credentials(url: &str) -> (String, Option<String>) {
    let begin = url.find("://").map_or(0, |at| at + 3);
    let end = url[begin..]
        .find(['/', '?', '#'])
        .map_or(url.len(), |at| begin + at);
    match url[begin..end].rsplit_once('@') {
        Some((credentials, host)) => (
            format!("{}{host}{}", &url[..begin], &url[end..]),
            Some(credentials.to_owned()),
        ),
        None => (url.to_owned(), None),
    }
}

/// The header that `user:password`, each percent-encoded, means (RFC 7617).
fn basic(credentials: &str) -> anyhow::Result<HeaderValue> {
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let decoded = |text| percent_decode_str(text).collect::<Vec<u8>>();
    let pair = [decoded(user), decoded(password)].join(&b':');
    let mut value = HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(pair)))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The request target of a `Location` that the server gave: a path from its root, or a URL.
pub fn given_location(location: &str) -> Option<Uri> {
    let uri: Uri = location.parse().ok()?;
    uri.path_and_query()
        .map(|path| Uri::from(path.clone()))
        .filter(|uri| uri.path().starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_may_be_a_path_or_a_url() {
        let path = |location| given_location(location).map(|uri| uri.to_string());
        assert_eq!(path("/warrior/1").as_deref(), Some("/warrior/1"));
        assert_eq!(path("http://h:1/warrior/1").as_deref(), Some("/warrior/1"));
        assert_eq!(path("not a location"), None);
    }

    #[test]
    fn credentials_become_a_header_and_are_in_no_text() {
        let target = Target::parse("http://al%40h:p%3As%25@127.0.0.1:1/x").expect("a valid URL");
        assert_eq!(target.url, "http://127.0.0.1:1/x");
        assert_eq!(target.host, "127.0.0.1:1");
        let header = target.authorization.clone().expect("credentials");
        // al@h and p:s%, as `curl -u` sends them.
        assert_eq!(header, "Basic YWxAaDpwOnMl");
        assert!(!format!("{target:?}").contains("YWxAaDpwOnMl"));
        let error = Target::parse("http://user:secret@127.0.0.1:port/").expect_err("no port");
        assert!(!format!("{error:#}").contains("secret"), "{error:#}");
        let plain = Target::parse("http://127.0.0.1:1/a@b").expect("a valid URL");
        assert!(plain.authorization.is_none());
    }

    #[test]
    fn the_first_address_that_answers_is_kept() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let answers = listener.local_addr().expect("bound");
        let closed = std::net::TcpListener::bind("127.0.0.2:0").expect("a free port");
        let refuses = closed.local_addr().expect("bound");
        drop(closed);
        // As where /etc/hosts names ::1 first and the server listens on 127.0.0.1 alone.
        let at = |addresses: &[SocketAddr]| Target {
            address: addresses[0],
            addresses: addresses.to_vec(),
            ..Target::parse("http://127.0.0.1:1").expect("a valid URL")
        };
        let reached = at(&[refuses, answers]).reach().expect("one answers");
        assert_eq!(reached.address, answers);
        drop(listener);
        let error = at(&[refuses, answers]).reach().expect_err("none answers");
        for address in [refuses, answers] {
            let error = error.to_string();
            assert!(
                error.contains(&format!("{address}: Connection refused")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_base_path_is_kept_and_a_wrong_scheme_is_named() {
        let target = Target::parse("http://127.0.0.1:5001/api/").expect("a valid URL");
        assert_eq!(
            target.uri("/warrior?t=a").expect("a path").to_string(),
            "/api/warrior?t=a"
        );
        assert_eq!(target.host, "127.0.0.1:5001");
        for (wrong, word) in [
            ("ftp://localhost", "https://"),
            ("localhost:5001", "http://"),
            ("http://127.0.0.1/?a=b", "query"),
        ] {
            let error = Target::parse(wrong).expect_err(wrong);
            assert!(format!("{error:#}").contains(word), "{error:#}");
        }
        assert!(Target::parse("http://[::1]:80").is_ok());
    }
}

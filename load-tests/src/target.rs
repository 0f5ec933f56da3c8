//! The target of a run: the server that is asked.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use hyper::Uri;
use hyper::header::HeaderValue;

/// How long a connection may take before a target counts as unreachable.
const REACH_TIMEOUT: Duration = Duration::from_secs(5);

/// Where requests go.
#[derive(Clone, Debug)]
pub struct Target {
    /// The address, resolved once: DNS is not part of what is measured.
    pub address: SocketAddr,
    /// The `Host` header.
    pub host: HeaderValue,
    /// The URL as it was given.
    pub url: String,
    base: String,
}

/// The target does not accept connections.
#[derive(Debug, thiserror::Error)]
#[error("cannot reach {url}: {why}; is the server running there?")]
pub struct Unreachable {
    url: String,
    why: std::io::Error,
}

impl Target {
    /// Reads `http://host[:port][/base]`.
    pub fn parse(url: &str) -> anyhow::Result<Target> {
        let uri: Uri = url
            .parse()
            .with_context(|| format!("--url `{url}` is not a URL"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => bail!(
                "--url `{url}`: TLS is the proxy's job and is not measured here; \
                 give the http:// address behind it"
            ),
            _ => bail!("--url `{url}` must begin with http://"),
        }
        let host = uri
            .host()
            .with_context(|| format!("--url `{url}` names no host"))?;
        let port = uri.port_u16().unwrap_or(80);
        let address = (host.trim_matches(['[', ']']), port)
            .to_socket_addrs()
            .with_context(|| format!("--url `{url}`: cannot resolve `{host}`"))?
            .next()
            .with_context(|| format!("--url `{url}`: `{host}` has no address"))?;
        ensure!(
            uri.query().is_none(),
            "--url `{url}`: a query belongs to the request's path"
        );
        let authority = uri.authority().map_or(host, |authority| authority.as_str());
        Ok(Target {
            address,
            host: HeaderValue::from_str(authority)?,
            url: url.to_owned(),
            base: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// Connects once, and sends nothing.
    ///
    /// # Errors
    /// When nothing listens there.
    pub fn reach(&self) -> Result<(), Unreachable> {
        TcpStream::connect_timeout(&self.address, REACH_TIMEOUT)
            .map(drop)
            .map_err(|why| Unreachable {
                url: self.url.clone(),
                why,
            })
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
        whole
            .parse()
            .with_context(|| format!("`{whole}` is not a valid path"))
    }
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
    fn a_base_path_is_kept_and_a_wrong_scheme_is_named() {
        let target = Target::parse("http://127.0.0.1:5001/api/").expect("a valid URL");
        assert_eq!(
            target.uri("/warrior?t=a").expect("a path").to_string(),
            "/api/warrior?t=a"
        );
        assert_eq!(target.host, "127.0.0.1:5001");
        for (wrong, word) in [
            ("https://localhost", "TLS"),
            ("localhost:5001", "http://"),
            ("http://127.0.0.1/?a=b", "query"),
        ] {
            let error = Target::parse(wrong).expect_err(wrong);
            assert!(format!("{error:#}").contains(word), "{error:#}");
        }
        assert!(Target::parse("http://[::1]:80").is_ok());
    }
}

//! The live page: static files that draw `/figures` in a browser.
//!
//! No build step, and nothing from elsewhere: the page's policy forbids it. What arrives in figures becomes text and
//! geometry, never markup.

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use hyper::header::{self, HeaderName, HeaderValue};

/// Content Security Policy: files and figures of this listener alone, in no frame. `data:` is the empty icon.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The files by their paths.
const FILES: [(&str, &str, &str); 7] = [
    ("/", HTML, include_str!("page/page.html")),
    ("/page.css", CSS, include_str!("page/page.css")),
    ("/page.js", SCRIPT, include_str!("page/page.js")),
    ("/rates.js", SCRIPT, include_str!("page/rates.js")),
    ("/limits.js", SCRIPT, include_str!("page/limits.js")),
    ("/draw.js", SCRIPT, include_str!("page/draw.js")),
    ("/words.js", SCRIPT, include_str!("page/words.js")),
];

/// The file at a path of the admin listener.
pub(super) fn at(path: &str) -> Option<Response<Full<Bytes>>> {
    let (_, kind, text) = FILES.iter().find(|(its, ..)| *its == path)?;
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    let headers: [(HeaderName, &'static str); 5] = [
        (header::CONTENT_TYPE, kind),
        // Another version of the server has another page.
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in headers {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    Some(response)
}

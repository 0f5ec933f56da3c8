//! The surface without sockets and without a database.

mod document;
mod keys;
mod outcomes;
mod problems;
mod routes;
mod stages;

use hyper::Request as HttpRequest;

use super::*;

const BODY: &[u8] = br#"{"name":"n","dob":"2000-01-01","fight_skills":["s"]}"#;

fn head(method: &str, target: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = HttpRequest::builder()
        .method(method)
        .uri(target)
        .header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn get(target: &str) -> Result<Request, Problem> {
    route(&head("GET", target, &[]), b"")
}

fn status(result: Result<Request, Problem>) -> u16 {
    result.map_or_else(|problem| problem.kind().0.as_u16(), |_| 200)
}

fn post(headers: &[(&str, &str)], body: &[u8]) -> Result<Request, Problem> {
    route(&head("POST", "/warrior", headers), body)
}

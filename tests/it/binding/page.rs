//! The live page as files: complete, and forbidden to ask elsewhere. In a browser it is `make browser-test`.

use crate::server::TestServer;
use crate::support::fresh_database;

#[test]
fn the_page_and_what_it_names_is_there_and_asks_nobody_else() {
    let database = fresh_database();
    let server = TestServer::start(&database.pooled_login());
    let page = server.ask_admin("/");
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let mut seen = vec!["/".to_owned()];
    let mut left = named(page.text());
    while let Some(path) = left.pop() {
        if seen.contains(&path) {
            continue;
        }
        let file = server.ask_admin(&path);
        assert_eq!(file.status, 200, "{path}");
        let policy = file.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none';"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
        for elsewhere in ["http://", "https://", "innerHTML", "eval("] {
            let text = file.text().replace("http://www.w3.org/2000/svg", "");
            assert!(!text.contains(elsewhere), "{path}: {elsewhere}");
        }
        left.extend(named(file.text()));
        seen.push(path);
    }
    assert!(seen.len() >= 7, "{seen:?}");
}

/// The files that a text of the page names.
fn named(text: &str) -> Vec<String> {
    let quoted = text.split('"').skip(1).step_by(2);
    let files = quoted.filter(|name| name.ends_with(".js") || name.ends_with(".css"));
    files
        .map(|name| format!("/{}", name.trim_start_matches("./")))
        .collect()
}

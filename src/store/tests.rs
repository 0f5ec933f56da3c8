//! What can be said of the store without a database.

use super::chain;
use super::session::array_literal;

#[test]
fn array_literals_quote_every_element() {
    let literal = |items: &[&str]| {
        array_literal(
            &items
                .iter()
                .map(|item| (*item).to_owned())
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(literal(&["a"]), r#"{"a"}"#);
    assert_eq!(
        literal(&["NULL", "", "a,b", "{}"]),
        r#"{"NULL","","a,b","{}"}"#
    );
    assert_eq!(
        literal(&[r#"say "hi""#, r"back\slash"]),
        r#"{"say \"hi\"","back\\slash"}"#
    );
}

#[test]
fn a_chain_names_every_cause_once() {
    let inner = std::io::Error::other("connection refused");
    let outer = std::io::Error::other(inner);
    assert!(chain(&outer).contains("connection refused"));
}

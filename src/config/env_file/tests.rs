//! The meaning of each line. The values of the first table were compared with what `docker-compose config` of
//! 1.29.2 shows for the same lines.

use super::{Fault, parse};

/// The value of `A` in a file; none where the file leaves it to the environment.
fn read(text: &str) -> Result<Option<String>, Fault> {
    parse(text, |name| name == "A").map(|mut values| values.remove("A"))
}

#[test]
fn an_entry_means_what_compose_takes_it_for() {
    for (text, value) in [
        ("A=b", "b"),
        ("A=", ""),
        ("A=\n", ""),
        ("A = b ", "b"),
        ("A=b c", "b c"),
        ("export A=b", "b"),
        ("export\tA=b", "b"),
        ("  A=b", "b"),
        ("\u{feff}A=b", "b"),
        ("A=b\r\nB=c\r\n", "b"),
        ("A=b\nA=c", "c"),
        ("A=b # comment", "b"),
        ("A=auto  # Will use (CPU * 2 + 1)", "auto"),
        ("A=b#c", "b#c"),
        ("A=#b", "#b"),
        ("# A=x\nA=b", "b"),
        ("A=b=c", "b=c"),
        (r"A=pa\word", r"pa\word"),
        (r#"A=b"c"#, r#"b"c"#),
        ("A='b'", "b"),
        ("A=''", ""),
        ("A='b # c' # comment", "b # c"),
        ("A='pa$word'", "pa$word"),
        ("A='pa$$word'", "pa$$word"),
        (r"A='pa\word'", r"pa\word"),
        (r"A='it\'s'", "it's"),
        ("A='b\nc'", "b\nc"),
        ("A='b\r\nc'\r\n", "b\nc"),
        (r#"A="b""#, "b"),
        (r#"A="b # c""#, "b # c"),
        (r#"A=" b ""#, " b "),
        (r#"A="b\nc\td\"e\\f""#, "b\nc\td\"e\\f"),
        (r#"A="pa\word""#, r"pa\word"),
        ("A=\"b\nc\"#comment", "b\nc"),
    ] {
        assert_eq!(read(text), Ok(Some(value.to_owned())), "{text}");
    }
    for text in ["", "\n\n", "# A=b", "A", "export A", "B=c"] {
        assert_eq!(read(text), Ok(None), "{text}");
    }
}

#[test]
fn what_the_two_composes_read_differently_is_refused_and_named() {
    for text in [
        "A=abc$def",
        "A=abc${def}",
        "A=abc$$def",
        "A=abc$",
        r#"A="abc$def""#,
        r#"A="abc\$def""#,
        r"A='abc${def}'",
        r"A='abc\\def'",
        r#"A="abc\\""#,
        r#"A="abc\'def""#,
        r#"A="abc\adef""#,
        "A=abc\t# def",
    ] {
        let said = read(&format!("B=1\n{text}\n")).unwrap_err().to_string();
        assert!(
            said.starts_with(".env, line 2: A holds a"),
            "{text}: {said}"
        );
        assert!(!said.contains("abc") && !said.contains("def"), "{said}");
        // Variables of other programs are not checked, since their meaning is unknown.
        let foreign = text.replacen('A', "FOREIGN", 1);
        assert_eq!(read(&foreign), Ok(None), "{foreign}");
    }
}

#[test]
fn what_is_no_entry_is_refused_by_its_line_alone() {
    for text in [
        "A='hunter2",
        "A=\"hunter2",
        "A hunter2",
        "A: hunter2",
        "A:hunter2=x",
        "=hunter2",
        "A='hunter2'x",
        "A=\"hunter2\" 'x'",
        "A=x\rB=hunter2",
        "FOREIGN='hunter2",
    ] {
        let said = read(&format!("# one\nB='x\ny'\n{text}\n"))
            .unwrap_err()
            .to_string();
        assert!(
            said.starts_with(".env, line 4: it is no NAME=value"),
            "{text}: {said}"
        );
        assert!(!said.contains("hunter2"), "{said}");
    }
}

//! Files of every form that people write: one value changes, and every other byte stays.

use super::*;

#[test]
fn one_value_changes_and_every_other_byte_stays() {
    for (syntax, name, before, after) in [
        (
            Syntax::Env,
            "BATCH_MAX",
            "A=1\nBATCH_MAX=128\nB=2\n",
            "A=1\nBATCH_MAX=64\nB=2\n",
        ),
        // The last one counts.
        (
            Syntax::Env,
            "BATCH_MAX",
            "BATCH_MAX=1\nBATCH_MAX=2",
            "BATCH_MAX=1\nBATCH_MAX=64",
        ),
        (
            Syntax::Env,
            "BATCH_MAX",
            "\u{feff}A=1\r\n  export BATCH_MAX = '128' # most\r\n",
            "\u{feff}A=1\r\n  export BATCH_MAX = 64 # most\r\n",
        ),
        // Comments and longer names are not it; a last line without an end keeps none.
        (
            Syntax::Env,
            "BATCH_MAX",
            "#BATCH_MAX=128\nMY_BATCH_MAX=1\nBATCH_MAX_2=1",
            "#BATCH_MAX=128\nMY_BATCH_MAX=1\nBATCH_MAX=64\nBATCH_MAX_2=1",
        ),
        // The end of a value of several lines gets the end of line that it lacks.
        (
            Syntax::Env,
            "BATCH_MAX",
            "KEY=\"MIIE\nMq9=\"",
            "KEY=\"MIIE\nMq9=\"\nBATCH_MAX=64\n",
        ),
        (
            Syntax::PgBouncer,
            "default_pool_size",
            "[pgbouncer]",
            "[pgbouncer]\ndefault_pool_size = 64\n",
        ),
        (
            Syntax::Env,
            "BATCH_MAX",
            "A=1\r\n",
            "A=1\r\nBATCH_MAX=64\r\n",
        ),
        (Syntax::Env, "BATCH_MAX", "", "BATCH_MAX=64\n"),
        (
            Syntax::PgBouncer,
            "default_pool_size",
            "[databases]\ndefault_pool_size = 1\n[pgbouncer]\n;default_pool_size = 20\ndefault_pool_size=50\n[users]\n",
            "[databases]\ndefault_pool_size = 1\n[pgbouncer]\n;default_pool_size = 20\ndefault_pool_size=64\n[users]\n",
        ),
        (
            Syntax::PgBouncer,
            "default_pool_size",
            "[pgbouncer]\npool_mode = transaction\n[users]\nx = y\n",
            "[pgbouncer]\npool_mode = transaction\ndefault_pool_size = 64\n[users]\nx = y\n",
        ),
        (
            Syntax::PostgreSql,
            "max_connections",
            "#max_connections = 1\nmax_connections = 100   # (change requires restart)\n",
            "#max_connections = 1\nmax_connections = 64   # (change requires restart)\n",
        ),
        (
            Syntax::PostgreSql,
            "max_connections",
            "max_connections 100\n",
            "max_connections 64\n",
        ),
    ] {
        let mut edited = Edited::of(before);
        edited.set(syntax, name, 64);
        assert_eq!(edited.text(), after, "{before:?}");
        assert_eq!(edited.number(syntax, name).expect("a number"), Some(64));
    }
}

#[test]
fn what_is_no_number_is_an_error_that_names_it() {
    let edited = Edited::of("WORKERS=auto\nBATCH_MAX=\nWORKERS_FIND='4'\n");
    let error = edited
        .number(Syntax::Env, "WORKERS")
        .expect_err("not a number");
    assert!(error.to_string().contains("WORKERS is `auto`"), "{error}");
    assert_eq!(
        edited.number(Syntax::Env, "BATCH_MAX").expect("unset"),
        None
    );
    assert_eq!(
        edited
            .number(Syntax::Env, "WORKERS_FIND")
            .expect("a number"),
        Some(4)
    );
}

#[test]
fn a_diff_is_what_patch_takes() {
    let lines: String = (1..=20).map(|n| format!("L{n}=x\n")).collect();
    let mut edited = Edited::of(&format!("{lines}BATCH_MAX=128"));
    assert_eq!(edited.diff(".env"), "");
    edited.set(Syntax::Env, "BATCH_MAX", 64);
    edited.set(Syntax::Env, "WORKERS_FIND", 4);
    let diff = edited.diff(".env");
    let wanted = "--- .env\n+++ .env\n@@ -21,1 +21,2 @@\n+WORKERS_FIND=4\n-BATCH_MAX=128\n\
                  \\ No newline at end of file\n+BATCH_MAX=64\n\\ No newline at end of file\n";
    assert_eq!(diff, wanted);
    let mut fresh = Edited::of("");
    fresh.set(Syntax::Env, "BATCH_MAX", 64);
    assert_eq!(
        fresh.diff(".env"),
        "--- .env\n+++ .env\n@@ -0,0 +1,1 @@\n+BATCH_MAX=64\n"
    );
}

#[test]
fn a_diff_shows_no_line_that_is_somebody_elses() {
    let passwords = "POSTGRES_PASSWORD=hush\n";
    for held in [
        format!("{passwords}BATCH_MAX=128\n{passwords}"),
        format!("BATCH_MAX=128\nexport {}", passwords.trim_end()),
    ] {
        let mut edited = Edited::of(&held);
        edited.set(Syntax::Env, "BATCH_MAX", 64);
        edited.set(Syntax::Env, "WORKERS_FIND", 4);
        let diff = edited.diff(".env");
        assert!(diff.contains("+BATCH_MAX=64") && diff.contains("+WORKERS_FIND=4"));
        assert!(!diff.contains("hush"), "{diff}");
    }
}

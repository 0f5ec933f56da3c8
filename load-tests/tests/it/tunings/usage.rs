//! Wrong use of `tune`.

use std::process::Command;

use crate::scratch::{PROGRAM, Scratch};

#[test]
fn wrong_use_names_what_is_wrong() {
    let url = "http://127.0.0.1:1";
    let scratch = Scratch::new();
    let env = scratch.0.join(".env");
    std::fs::write(&env, "WORKERS=many\n").expect("written");
    let env = env.display().to_string();
    let sized = |text: &str| {
        let path = scratch.0.join(text);
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let sized_elsewhere = scratch.0.join("pgbouncer.ini").display().to_string();
    let ini =
        "[databases]\nwarrior_api = host=db pool_size=5\n[pgbouncer]\ndefault_pool_size = 20\n";
    std::fs::write(&sized_elsewhere, ini).expect("written");
    let [workers, lane, pool] = [
        "WORKERS=4294967295",
        "WORKERS_FIND=65",
        "PGBOUNCER_DEFAULT_POOL_SIZE=0",
    ]
    .map(sized);
    for (arguments, word) in [
        (vec!["tune", "--url", url], "--apply-command"),
        (vec!["tune", "--apply-command", "true"], "--url"),
        (
            vec!["tune", "--postgres", "host=x"],
            "--postgres has no effect",
        ),
        (vec!["tune", "--rate=-1"], "--rate"),
        (
            vec!["tune", "--budget", "1m", "--server", "/bin/true"],
            "--budget 1m is too short",
        ),
        (
            vec!["tune", "--env", &env, "--server", "/bin/true"],
            "WORKERS is `many`",
        ),
        (
            vec!["tune", "--env", &workers, "--server", "/bin/true"],
            "WORKERS is 4294967295; want 3 to 192",
        ),
        (
            vec!["tune", "--env", &lane, "--server", "/bin/true"],
            "WORKERS_FIND is 65; want 1 to 64",
        ),
        (
            vec!["tune", "--env", &pool, "--server", "/bin/true"],
            "PGBOUNCER_DEFAULT_POOL_SIZE is 0; want 1 to 256",
        ),
        (
            vec!["tune", "--step", "0s", "--server", "/bin/true"],
            "--step must be longer than nothing",
        ),
        (
            vec!["tune", "--budget", "500000000000y"],
            "want at most 7days",
        ),
        (
            vec![
                "tune",
                "--pgbouncer-ini",
                "/none.ini",
                "--server",
                "/bin/true",
            ],
            "--pgbouncer-ini /none.ini",
        ),
        (
            vec![
                "tune",
                "--pgbouncer-ini",
                &sized_elsewhere,
                "--server",
                "/bin/true",
            ],
            "pgbouncer.ini: line 2: pool_size=5 of database warrior_api takes the place of default_pool_size",
        ),
        (
            vec!["tune", "--url", url, "--apply-timeout", "1s"],
            "--apply-command",
        ),
    ] {
        let (code, text) = Scratch::new().load(&arguments);
        assert_eq!(code, 1, "{arguments:?}: {text}");
        assert!(text.contains(word), "{word} in {text}");
    }
    let undo = Command::new(PROGRAM)
        .args(["tune", "undo", "--out"])
        .arg(&scratch.0)
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&undo.stderr);
    assert_eq!(undo.status.code(), Some(1), "{text}");
    assert!(text.contains("nothing to undo"), "{text}");
}

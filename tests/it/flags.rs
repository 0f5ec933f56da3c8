//! Flags without effect, in each command that has some.

use std::process::Command;

use crate::program::{refusal, serve};
use crate::settings::program;

/// Variables may be there for other commands; who types a flag waits for something.
#[test]
fn a_flag_without_effect_stops_the_start_and_is_named() {
    let ephemeral = || program(&["up", "--ephemeral"]);
    let stack = || program(&["stack", "--ephemeral"]);
    let print = || program(&["schema", "print"]);
    let of_a_file = || {
        let mut command = serve();
        command.args(["--db-mode=local", "--duckdb-file=/nowhere"]);
        command
    };
    let each = || {
        let mut command = serve();
        command.env_remove("WORKERS").args([
            "--workers-create=1",
            "--workers-find=1",
            "--workers-search=1",
        ]);
        command
    };
    let commands: [(&dyn Fn() -> Command, &str); 20] = [
        (&ephemeral, "--port=1234"),
        (&ephemeral, "--admin-port=1234"),
        (&ephemeral, "--postgres-port=1234"),
        (&ephemeral, "--postgres-direct-port=1234"),
        (&ephemeral, "--data=/nowhere"),
        (&stack, "--data=/nowhere"),
        (&stack, "--postgres-port=1234"),
        (&stack, "--port=1234"),
        (&stack, "--postgres-monitor-interval-ms=500"),
        (&serve, "--duckdb-file=/nowhere"),
        (&serve, "--duckdb-library=/nowhere"),
        (&serve, "--postgres-direct-port=1234"),
        (&serve, "--postgres-monitor-interval-ms=500"),
        (&serve, "--postgres-tls-ca=/nowhere"),
        (&serve, "--gunicorn-workers=4"),
        (&each, "--workers=4"),
        (&of_a_file, "--postgres-host=nowhere"),
        (&of_a_file, "--postgres-monitor-user=somebody"),
        (&of_a_file, "--workers-create=2"),
        (&print, "--postgres-owner=nobody"),
    ];
    for (command, flag) in commands {
        let said = refusal(command().arg(flag));
        let (name, _) = flag.split_once('=').unwrap();
        let expected = format!("leave {name} out");
        // One that the command never has is refused by name, too.
        let unknown = format!("unexpected argument '{name}'");
        assert!(
            said.contains(&expected) || said.contains(&unknown),
            "{flag}: {said}"
        );
    }
    let heard = refusal(
        ephemeral()
            .env("PORT", "1234")
            .env("DRAIN_DELAY_MS", "600001"),
    );
    assert!(heard.contains("without effect: PORT\n"), "{heard}");
}

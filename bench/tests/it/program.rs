//! The program under test.

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_warrior-bench");

//! The command line of warrior-load.
fn main() {}

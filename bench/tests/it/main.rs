//! The bench for real, in one binary: each module starts stacks of its own.

mod bench;
mod program;
mod settings;

//! The schema commands.

mod adopt;
mod applied;
mod apply;
mod functions;
mod refuse;
mod rights;

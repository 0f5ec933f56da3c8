//! The schema commands.

mod adopt;
mod applied;
mod apply;
mod functions;
mod older;
mod refuse;
mod restored;
mod rights;
mod triggers;

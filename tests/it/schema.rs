//! The schema commands.

mod adopt;
mod applied;
mod apply;
mod functions;
mod given_up;
mod locks;
mod older;
mod refuse;
mod restored;
mod rights;
mod triggers;

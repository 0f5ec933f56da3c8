//! The protocol between a parent process and a stack that runs as its child: lines of text in, lines of JSON out.
//!
//! [`parent`] starts `warrior-api stack` and commands it through its standard input. [`child`] is that program's
//! side, and obeys. [`announcement`] holds the messages of both. The end of the input ends the stack, so nothing is
//! left behind even by a parent that was killed.

pub mod announcement;
pub(crate) mod child;
pub(crate) mod parent;

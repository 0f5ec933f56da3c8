//! A named stack: its configuration files are written, and a command of its owner makes them count.

use std::path::PathBuf;

use anyhow::Context;

use super::{Rig, wait_until_ready};
use crate::database::DatabaseAccess;
use crate::output::print_error;
use crate::shell::run_shell;
use crate::target::Target;
use crate::tune::NamedStack;
use crate::tune::backup::{keep, undo, will_write};
use crate::tune::config::Config;
use crate::tune::sizes::Sizes;

/// The stack. Its files are given back when this value goes, whatever ends the search.
pub(crate) struct Named {
    stack: NamedStack,
    /// The files as they were.
    config: Config,
    first: Sizes,
    /// Where the list of copies is while sizes are tried.
    directory: PathBuf,
    is_changed: bool,
}

impl Named {
    /// A stack, its files as they are with the sizes in them, and where copies of them are listed.
    pub(crate) fn new(
        stack: NamedStack,
        (config, first): (Config, Sizes),
        directory: PathBuf,
    ) -> Named {
        Named {
            stack,
            config,
            first,
            directory,
            is_changed: false,
        }
    }

    /// Makes the files count, and waits until the stack is ready.
    pub(crate) fn run_command(&self) -> anyhow::Result<()> {
        run_shell(&self.stack.command, self.stack.timeout)
            .context("--apply-command failed (--apply-timeout bounds it)")?;
        wait_until_ready(&self.stack.target, self.stack.admin.as_ref())
    }
}

impl Rig for Named {
    fn apply(&mut self, sizes: &Sizes) -> anyhow::Result<()> {
        if !self.is_changed {
            keep(self.config.files(), &self.directory)?;
            self.is_changed = true;
        }
        will_write(&self.config.changes(&self.first, sizes), &self.directory)?;
        self.config.write(&self.first, sizes)?;
        self.run_command()
    }

    fn target(&self) -> anyhow::Result<Target> {
        Ok(self.stack.target.clone())
    }

    fn admin(&self) -> Option<Target> {
        self.stack.admin.clone()
    }

    fn database(&self) -> Option<DatabaseAccess> {
        self.stack.database.clone()
    }

    fn restore(&mut self) -> anyhow::Result<()> {
        if !self.is_changed {
            return Ok(());
        }
        undo(&self.directory)?;
        self.is_changed = false;
        self.run_command()
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        if let Err(error) = self.restore() {
            print_error(&error.context("cannot give the stack its configuration back"));
        }
    }
}

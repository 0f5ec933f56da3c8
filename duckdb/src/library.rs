//! Loading of the library: by the path that was given, else from the first place that has one.

use std::fmt;
use std::path::{Path, PathBuf};

use adbc_core::Driver;
use adbc_core::options::{AdbcVersion, OptionDatabase, OptionValue};
use adbc_driver_manager::ManagedDriver;

use crate::connection::Connection;
use crate::error::{Error, LibraryError, OpenError};
use crate::file::{self, Access, File};
use crate::places;

/// DuckDB's entry point for ADBC.
const ENTRY_POINT: &[u8] = b"duckdb_adbc_init";
/// The oldest version whose library reads all files of 1.x.
const OLDEST: (u32, u32) = (1, 5);

/// A loaded `libduckdb`. It stays loaded until the process ends.
#[derive(Clone)]
pub struct Library {
    driver: ManagedDriver,
    path: PathBuf,
    version: String,
}

impl Library {
    /// The library at `given`, else the first of the search path that can be used.
    ///
    /// # Errors
    /// When there is none, it is none, or it is older than 1.5: the fault of the last one that was tried. A path that was
    /// `given` is never passed over.
    pub fn find(given: Option<&Path>) -> Result<Self, LibraryError> {
        match given {
            Some(path) => Self::load(path.to_owned()),
            None => Self::first_of(places::candidates()),
        }
    }

    /// One that is too old does not hide a newer one behind it.
    fn first_of(candidates: Vec<PathBuf>) -> Result<Self, LibraryError> {
        let mut fault = LibraryError::NotFound {
            searched: places::folders(),
        };
        for path in candidates {
            match Self::load(path) {
                Ok(library) => return Ok(library),
                Err(why) => fault = why,
            }
        }
        Err(fault)
    }

    fn load(path: PathBuf) -> Result<Self, LibraryError> {
        let unusable = |cause: String| LibraryError::Unusable {
            path: path.clone(),
            cause,
        };
        let driver =
            ManagedDriver::load_dynamic_from_filename(&path, Some(ENTRY_POINT), AdbcVersion::V110)
                .map_err(|e| unusable(e.message))?;
        let library = Self {
            driver,
            path: path.clone(),
            version: String::new(),
        };
        let version = library
            .own_version()
            .map_err(|e| unusable(e.to_string()))?
            .ok_or_else(|| unusable("it tells no version".to_owned()))?;
        if numbers(&version).is_none_or(|numbers| numbers < OLDEST) {
            let found = version;
            return Err(LibraryError::TooOld { path, found });
        }
        Ok(Self { version, ..library })
    }

    /// Where it was found.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its version, as it says itself: `v2.0.1`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Opens `path`. DuckDB's `settings` are names and values of its configuration, which hold for the whole file.
    ///
    /// # Errors
    /// When there is no such file (and none may be made), another process holds it, or it is damaged.
    pub fn open(
        &self,
        path: &Path,
        access: Access,
        settings: &[(&str, &str)],
    ) -> Result<File, OpenError> {
        file::open(|settings| self.database(settings), path, access, settings)
    }

    fn database(
        &self,
        settings: &[(&str, &str)],
    ) -> Result<adbc_driver_manager::ManagedDatabase, adbc_core::error::Error> {
        let option = |(name, value): &(&str, &str)| {
            (
                OptionDatabase::Other((*name).to_owned()),
                OptionValue::String((*value).to_owned()),
            )
        };
        // Loading takes `&mut self` in the trait alone: the driver is a table of functions.
        self.driver
            .clone()
            .new_database_with_opts(settings.iter().map(option))
    }

    fn own_version(&self) -> Result<Option<String>, Error> {
        let memory = self.database(&[("path", ":memory:")])?;
        Connection::of(&memory)?.text("select version()")
    }
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Library")
            .field("path", &self.path)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Major and minor of `v2.0.1`, `v1.5.0-dev12`.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim_start_matches('v').split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        for (version, expected) in [
            ("v2.0.1", Some((2, 0))),
            ("v1.10.0-dev3", Some((1, 10))),
            ("1.4.5", Some((1, 4))),
            ("v1", None),
            ("", None),
        ] {
            assert_eq!(numbers(version), expected, "{version}");
        }
        assert!(numbers("v1.10.0") > Some(OLDEST));
    }

    #[test]
    fn one_that_cannot_be_used_does_not_hide_a_good_one() {
        let program = std::env::current_exe().unwrap();
        let beside = program.ancestors().map(|f| f.join("lib/libduckdb.so"));
        let good = beside.into_iter().find(|path| path.exists());
        let good = good.expect("tests of DuckDB need its library: make duckdb");
        let library = Library::first_of(vec!["/dev/null".into(), good.clone()]).unwrap();
        assert_eq!(library.path(), good);
        let e = Library::first_of(vec!["/dev/null".into()]).unwrap_err();
        assert!(matches!(e, LibraryError::Unusable { .. }), "{e}");
    }

    #[test]
    fn a_file_that_is_no_library_is_named() {
        let e = Library::find(Some(Path::new("/dev/null"))).unwrap_err();
        assert!(matches!(e, LibraryError::Unusable { .. }), "{e}");
        assert!(
            e.to_string().starts_with("/dev/null cannot be loaded"),
            "{e}"
        );
    }
}

//! Secret variables: each given inline, or in a file that a second variable names.
//!
//! `POSTGRES_PASSWORD`, `POSTGRES_OWNER_PASSWORD`, `POSTGRES_MONITOR_PASSWORD`, `IDEMPOTENCY_SECRET`, each also with `_FILE`.

use warrior_stack::{Secret, SecretSource};

use super::environment::{IDEMPOTENCY, variable};
use super::error::ConfigError;

/// Fewest bytes of a secret against guessing: a client that knows the secret knows the ids behind other
/// clients' keys.
const IDEMPOTENCY_BYTES_MIN: usize = 16;

/// `NAME`, or the file that `NAME_FILE` points to. An empty file is an error now, not at the
/// first login.
///
/// # Errors
/// When both are set, one is set to nothing, or the file cannot be used.
pub(super) fn source(name: &str) -> Result<Option<SecretSource>, ConfigError> {
    let file_name = format!("{name}_FILE");
    let (value, file) = (variable(name)?, variable(&file_name)?);
    let empty = |name: &str| {
        Err(ConfigError(format!(
            "{name} is set to nothing; give it its value, or take it out of the environment and .env"
        )))
    };
    match (value, file) {
        (Some(value), _) if value.is_empty() => empty(name),
        (_, Some(path)) if path.is_empty() => empty(&file_name),
        (Some(_), Some(_)) => Err(ConfigError(format!(
            "{name} and {file_name} are both set; keep one of them"
        ))),
        (Some(value), None) => Ok(Some(SecretSource::Inline(Secret::new(value)))),
        (None, Some(path)) => {
            let source = SecretSource::File(path.into());
            source
                .read()
                .map_err(|e| ConfigError(format!("{file_name}: {e}")))?;
            Ok(Some(source))
        }
        (None, None) => Ok(None),
    }
}

/// The secret that ids are derived with.
///
/// # Errors
/// As those of [`source`], and when it can be guessed.
pub(super) fn idempotency() -> Result<Option<Secret>, ConfigError> {
    let Some(source) = source(IDEMPOTENCY)? else {
        return Ok(None);
    };
    let secret = source
        .read()
        .map_err(|e| ConfigError(format!("{IDEMPOTENCY}_FILE: {e}")))?;
    let mut bytes = secret.expose().bytes();
    let first = bytes.next();
    if secret.expose().len() < IDEMPOTENCY_BYTES_MIN || bytes.all(|byte| Some(byte) == first) {
        return Err(ConfigError(format!(
            "{IDEMPOTENCY} can be guessed: it must have {IDEMPOTENCY_BYTES_MIN} bytes at the least, and not be one \
             character again and again; make one with `openssl rand -hex 32`, or leave it out, and all servers \
             of one database share the one that `warrior-api schema apply` keeps there"
        )));
    }
    Ok(Some(secret))
}

//! The OpenAPI document; a test holds it against the routes.

/// OpenAPI 3.1, as JSON.
pub const DOCUMENT: &str = include_str!("openapi.json");

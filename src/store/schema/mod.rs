//! temporary
/// v
pub fn current_version() -> i32 {
    1
}

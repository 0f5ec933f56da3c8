//! Single lines of `/proc`: `Name: value` records whose other lines differ between kernels and sandboxes.
//!
//! gVisor and lxcfs show a part of `/proc/meminfo`, which a reader of the whole record refuses.

/// The value of the line `name`; none where the text has no such line.
pub(crate) fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key == name).then(|| value.trim())
    })
}

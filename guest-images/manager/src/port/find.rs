//! Finds the port by its name in sysfs: the links in /dev/virtio-ports are udev's, which a small root need not have.

use std::fs;
use std::path::PathBuf;

use super::{Place, PortError};

/// The device node of the port called `wanted`.
pub fn node(place: &Place, wanted: &str) -> Result<PathBuf, PortError> {
    let absent = || PortError::Absent(place.sysfs.clone());
    let entries = fs::read_dir(&place.sysfs).map_err(|_| absent())?;
    let mut found = entries.flatten().filter(|entry| {
        // A port without a name has no such file.
        fs::read_to_string(entry.path().join("name")).is_ok_and(|name| name.trim_end() == wanted)
    });
    found.next().map(|entry| place.nodes.join(entry.file_name())).ok_or_else(absent)
}

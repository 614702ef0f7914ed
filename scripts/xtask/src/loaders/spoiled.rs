//! Bundles that nobody may start from.

use std::path::Path;

use anyhow::{Context, Result};

use super::disk::Disk;
use crate::testing::damage::Damage;

/// A bundle that nobody may start from, with its name on a disk.
pub const OLD: (&str, Damage) = ("old.img", Damage::OldForm);
/// See [`OLD`].
pub const CUT: (&str, Damage) = ("cut.img", Damage::CutInHalf);
/// See [`OLD`].
pub const LARGE: (&str, Damage) = ("large.img", Damage::Large);

/// Puts such copies of `bundle` on the disk.
///
/// # Errors
///
/// A copy cannot be written.
pub fn spoil(disk: &mut Disk, bundle: &Path, files: &[(&str, Damage)]) -> Result<()> {
    files.iter().try_for_each(|(name, damage)| {
        disk.copy(bundle, name)?;
        damage.apply(&disk.folder().join(name)).with_context(|| format!("{name} could not be damaged"))
    })
}

//! What the fuzz targets have in common.

pub mod checksum;
pub mod core;
pub mod operations;
pub mod vgic;

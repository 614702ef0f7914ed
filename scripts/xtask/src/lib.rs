//! The work behind `scripts/`: images, QEMU runs and tests.

pub mod apt;
pub mod bench;
pub mod board;
pub mod cpu;
pub mod defect;
pub mod device_trees;
pub mod devices;
pub mod el3;
pub mod environment;
pub mod errata;
pub mod firmware;
pub mod flatten;
pub mod guests;
pub mod image;
pub mod loaders;
pub mod machine;
pub mod metal;
pub mod options;
pub mod ram;
pub mod raspberry_pi;
pub mod run;
pub mod test_firmware;
pub mod testing;
pub mod virt_tree;
pub mod zcu102_tree;

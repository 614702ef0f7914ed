//! What runs on the bare machine.

pub mod console;
pub mod disk;
pub mod flood;
pub mod frame;
pub mod gic;
pub mod interrupt;
pub mod manage;
pub mod measure;
pub mod nbd;
pub mod port;
pub mod ports;
pub mod receiver;
pub mod start;
pub mod storm;
pub mod window;
pub mod wire;

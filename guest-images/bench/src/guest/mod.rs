//! What runs on the bare machine.

pub mod console;
pub mod gic;
pub mod interrupt;
pub mod measure;
pub mod port;
pub mod receiver;
pub mod start;
pub mod storm;
pub mod window;
pub mod wire;

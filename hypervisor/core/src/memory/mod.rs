//! Memory: who owns which part of the board's RAM, what EL2 sees of it and what each guest does.

pub mod bank;
pub mod guest;
pub mod stage1;
pub mod stage2;
pub mod window;

//! The program, with the hypervisor's own code at the other end of its port.

mod commands;
mod console;
mod data;
mod manual;
mod metrics;
mod moving;
mod port;
mod rig;
mod top;
mod trace;
mod wrong;

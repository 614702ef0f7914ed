//! What guests see of their links, on machines whose cores take turns.

mod disk;
mod guest;
mod lives;
mod network;
mod ports;
mod report;
mod serial;
mod served;

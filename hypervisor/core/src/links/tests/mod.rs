//! What guests see of their links, on machines whose cores take turns.

mod controls;
mod data;
mod disk;
mod events;
mod guest;
mod lives;
mod marks;
mod moved;
mod network;
mod ports;
mod report;
mod serial;
mod serial_lives;
mod served;
mod sessions;
mod terminal;

mod coherency;
mod creation;
mod ends;
mod given;
mod implementations;
pub mod mover;
mod saving;
mod scrubbing;
mod shared_memory;

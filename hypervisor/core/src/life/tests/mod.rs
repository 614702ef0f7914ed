mod coherency;
mod creation;
mod ends;
mod given;
mod implementations;
mod saving;
mod scrubbing;
mod shared_memory;

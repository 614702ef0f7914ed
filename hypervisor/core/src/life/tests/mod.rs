mod coherency;
mod creation;
mod ends;
mod given;
mod implementations;
mod scrubbing;
mod shared_memory;

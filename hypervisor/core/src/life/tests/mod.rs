mod coherency;
mod creation;
mod ends;
mod given;
mod scrubbing;
mod shared_memory;

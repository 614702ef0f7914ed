//! What a stream has, and what is wrong with one.

mod damage;
mod round;
mod vm;

mod creation;
mod ends;
mod given;

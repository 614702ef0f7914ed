//! Command line of the tool behind `scripts/`.
fn main() {}

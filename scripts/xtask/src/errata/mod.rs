//! Cortex-A53's erratum 835769: a 64-bit multiply-accumulate right behind a load or store may have a wrong result (Arm, "Cortex-A53
//! MPCore Software Developers Errata Notice"; r0p0 to r0p4).
//!
//! LLVM puts a NOP between the two if it is asked to by a feature that rustc does not know and warns of, in what is compiled here
//! only, and also where nothing can go wrong. GNU ld mends what is linked; LLVM's linker knows 843419 alone. So the programs of the
//! bare machine are mended as they become images: a pair changes places, which takes no time, or the second one moves to a
//! veneer, as GNU ld has it.

pub mod mend;
pub mod pair;
pub mod program;

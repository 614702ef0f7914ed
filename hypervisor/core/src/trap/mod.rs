//! What comes to EL2 from a guest. The vectors call these functions with the vCPU's context; each returns whether the
//! guest goes on.

pub mod abort;
mod abort_syndrome;
pub mod call;
pub mod exception;
mod external_abort;
pub mod fault;
mod gic;
pub mod interrupt;
mod table_walk;

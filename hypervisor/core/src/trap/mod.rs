//! What comes to EL2 from a guest. The vectors call these functions with the vCPU's context; each returns whether the
//! guest goes on.

pub mod abort;
mod abort_syndrome;
pub mod call;
pub mod exception;
mod external_abort;
pub mod fault;
mod gic;
mod identification;
pub mod interrupt;
mod physical_time;
mod register_access;
pub mod system_error;
mod table_walk;
#[cfg(test)]
mod tests;
mod traced;
mod visit;

use portcullis_arch::vectors::Handlers;

use crate::machine::TrapHandlers;
use crate::with_interface;

/// What serves guests' traps on this machine, whose GIC is known by now.
pub fn handlers() -> TrapHandlers {
    with_interface!(G => TrapHandlers {
        alone: Handlers { interrupt: interrupt::while_running::<G>, exception: exception::taken::<G> },
        sharing: Handlers { interrupt: interrupt::while_sharing::<G>, exception: exception::taken::<G> },
        traced_alone: Handlers { interrupt: traced::while_running::<G>, exception: traced::taken::<G> },
        follow: crate::run::follow::follow,
        traced_sharing: Handlers { interrupt: traced::while_sharing::<G>, exception: traced::taken::<G> },
    })
}

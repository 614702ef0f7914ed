//! One physical core: its interrupt controller's interface and whether interrupts come by it, the features of it that guests see,
//! and what its speculation asks for.

pub mod deadlines;
pub mod delivery;
pub mod feature_set;
pub mod gic;
pub mod gic_v2;
pub mod gic_v3;
pub mod id_registers;
pub mod kick;
pub mod physical_core;
pub mod speculation;

/// Evaluates an expression with the name given standing for the type of this machine's [`Interface`](gic::Interface).
#[macro_export]
macro_rules! with_interface {
    ($name:ident => $body:expr) => {
        match $crate::cpu::gic::version() {
            portcullis_vgic::GicVersion::V3 => {
                type $name = $crate::cpu::gic_v3::V3;
                $body
            }
            portcullis_vgic::GicVersion::V2 => {
                type $name = $crate::cpu::gic_v2::V2;
                $body
            }
        }
    };
}

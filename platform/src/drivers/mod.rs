//! One file for each device that EL2 itself drives, and what drivers share.

pub mod bcm2835_aux_uart;
pub mod bcm2835_pm;
pub mod bcm2835_timer;
pub mod edge;
pub mod gicd;
pub mod gicv2;
pub mod gicv3;
pub mod pl011;
pub mod pl031;
pub mod psci;
pub mod rate;
pub mod rndrrs;
pub mod rng200;
pub mod spin_table;

//! What cores do with VMs: noted by them, read through the port, and written in the form that <https://ui.perfetto.dev> opens.

pub mod capture;
pub mod perfetto;
pub mod switch;
mod tracks;

pub use self::capture::{Capture, Noted};
pub use self::tracks::{Names, convert};

//! The calls as the control VM makes them, on a whole machine of fakes: the same code as on the board, but for the
//! registers. A test plays the cores: it does what a core of a VM would do next.

pub(crate) mod bench;
mod filter;
mod hostile;
mod lifecycle;
mod register;
mod shutdown;
mod suspend;
mod watch;

use bench::Bench;

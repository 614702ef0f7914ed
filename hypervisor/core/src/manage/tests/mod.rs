//! The calls as the control VM makes them, on a whole machine of fakes: the same code as on the board, but for the
//! registers. A test plays the cores: it does what a core of a VM would do next.

#[cfg_attr(not(test), expect(dead_code, reason = "other crates need less of it"))]
pub(crate) mod bench;
#[cfg(test)]
mod filter;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod register;
#[cfg(test)]
mod shutdown;
#[cfg(test)]
mod suspend;
#[cfg(test)]
mod watch;

#[cfg(test)]
use bench::Bench;

//! A disk (virtio 1.2, section 5.2): requests, what a local disk does with them, and what becomes of those of a disk that
//! another VM serves.

mod answer;
mod features;
mod geometry;
mod local;
mod medium;
mod request;
mod served;

pub use features::offered;
pub use geometry::{Geometry, NAME, QUEUE_SIZE, SECTOR};
pub use local::{Local, Progress};
pub use medium::{Medium, Region};
pub use request::{Action, Request};
pub use served::{Flow, Served};

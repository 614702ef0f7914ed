mod alone;
mod keyboard;
mod sharing;
mod suspend;
mod wires;

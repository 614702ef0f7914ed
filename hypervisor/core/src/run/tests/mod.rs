mod alone;
mod keyboard;
mod sharing;

mod alone;
mod sharing;

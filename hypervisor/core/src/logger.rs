//! The `log` crate's way to the serial line.

use crate::serial::SERIAL;

/// Lets the `log` crate print on the serial line.
pub struct Logger;

impl log::Log for Logger {
    fn enabled(&self, metadata: &log::Metadata) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record) {
        if !self.enabled(record.metadata()) {
            return;
        }
        match record.level() {
            log::Level::Error | log::Level::Info => SERIAL.log(*record.args()),
            level => SERIAL.log(format_args!("{}: {}", Lower(level), record.args())),
        }
    }

    fn flush(&self) {}
}

/// A log level as it stands in a line.
struct Lower(log::Level);

impl core::fmt::Display for Lower {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self.0 {
            log::Level::Error => "error",
            log::Level::Warn => "warning",
            log::Level::Info => "info",
            log::Level::Debug => "debug",
            log::Level::Trace => "trace",
        })
    }
}

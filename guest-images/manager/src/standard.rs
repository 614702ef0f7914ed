//! What the program's standard streams are: a person's terminal, or something else.

use std::io;
use std::os::fd::AsFd;

use rustix::termios::{LocalModes, OutputModes, isatty, tcgetattr};

/// What the program's standard streams are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Standard {
    /// Input is a terminal at which somebody types lines. A serial line that carries bytes is set to be raw.
    pub typed: bool,
    /// Output is a terminal that shows text.
    pub shown: bool,
    /// Errors are seen on a terminal.
    pub watched: bool,
}

impl Standard {
    /// Looks at those of this program.
    pub fn of_program() -> Self {
        Self {
            typed: tcgetattr(io::stdin()).is_ok_and(|terminal| terminal.local_modes.contains(LocalModes::ICANON)),
            shown: tcgetattr(io::stdout()).is_ok_and(|terminal| terminal.output_modes.contains(OutputModes::OPOST)),
            watched: isatty(io::stderr().as_fd()),
        }
    }
}

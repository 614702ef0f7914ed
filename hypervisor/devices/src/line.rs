//! The interrupt line of a device.

/// An interrupt line as the interrupt controller knows it. Only changes are told, so that an access that changes nothing costs
/// the controller nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    intid: u32,
    level: bool,
}

impl Line {
    /// The low line of interrupt `intid`, a shared peripheral interrupt.
    pub const fn new(intid: u32) -> Self {
        Self { intid, level: false }
    }

    /// The number of its interrupt.
    #[inline]
    pub const fn intid(&self) -> u32 {
        self.intid
    }

    /// Sets the line to `level`. Some: that is a change, which the controller is to be told. A device that signals by edges
    /// raises the line and lowers it again.
    #[inline]
    pub fn set(&mut self, level: bool) -> Option<bool> {
        (core::mem::replace(&mut self.level, level) != level).then_some(level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_are_told() {
        let mut line = Line::new(33);
        assert_eq!(line.intid(), 33);
        let told: Vec<_> = [false, true, true, false, false, true].map(|level| line.set(level)).into();
        assert_eq!(told, [None, Some(true), None, Some(false), None, Some(true)]);
    }
}

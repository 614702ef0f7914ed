//! Where images go that came from the control VM.

use portcullis_board::Range;

use crate::VmConfig;
use crate::image::{ImageError, Kernel, Layout, Parts};

/// Bytes by which a longer command line is filled up in a device tree.
const LINE_END: u64 = 4;

impl VmConfig<'_> {
    /// Where images go in its RAM, which starts at `ram`, that came from the control VM: a kernel that begins so and has so many
    /// bytes, an initial RAM disk if it has one, and a command line in place of its own, if that is not empty.
    ///
    /// # Errors
    ///
    /// [`ImageError`]: what is wrong with the kernel, or does not fit.
    pub fn layout_of(
        &self,
        ram: u64,
        (start, kernel): (&[u8], u64),
        initrd: Option<u64>,
        cmdline: &str,
    ) -> Result<Layout, ImageError> {
        let kernel = Kernel::of(start, kernel)?;
        let more = if self.dtb.is_some() { 0 } else { cmdline.len().saturating_sub(self.cmdline.len()) };
        let tree = self.tree_room.saturating_add(more as u64).saturating_add(LINE_END);
        Layout::place(Range::sized(ram, self.memory), &Parts { kernel, initrd, tree }, self.wish)
    }
}

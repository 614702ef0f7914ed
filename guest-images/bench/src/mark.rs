//! Marks for the instruction counter: `sub xzr, xzr, xzr, lsl #N`, an instruction without effect that compilers do not
//! emit. An anchor of the marks 0, 63, 0 lies at offset [`ANCHOR`] of every image.

/// Offset of the anchor in the image: behind the header and the configuration.
pub const ANCHOR: u64 = 128;
/// Starts a window: from here on the instructions outside the guest are counted.
pub const START: u32 = 1;
/// Ends it.
pub const END: u32 = 2;
/// The guest's interrupt vector.
pub const INTERRUPT: u32 = 3;
/// End of test 0; test N ends with the mark N higher.
pub const FIRST_TEST: u32 = 16;
/// The end of what is done before a test, which does not count.
pub const WARM_UP: u64 = 47;
/// How often something is done before its test.
pub const BEFORE: u32 = 2;
/// The test that the restart of the VM is.
pub const RESTART: u64 = 46;

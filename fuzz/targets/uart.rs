//! Register accesses of a guest to the emulated UART, and characters that arrive.
#![no_main]

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use portcullis_devices::uart::Pl011;

/// Masked interrupt status (Arm DDI 0183, section 3.3).
const MIS: u64 = 0x40;
/// Flags, and in them: the receive FIFO is empty.
const FR: u64 = 0x18;
const RXFE: u32 = 1 << 4;

fuzz_target!(|data: &[u8]| {
    let _ = run(&mut Unstructured::new(data));
});

fn run(steps: &mut Unstructured) -> Result<()> {
    let mut uart = Pl011::new();
    while !steps.is_empty() {
        match steps.int_in_range(0..=7u8)? {
            0..=2 => uart.write(offset(steps)?, steps.arbitrary()?),
            3 => _ = uart.read(offset(steps)?),
            4 | 5 => {
                let could = uart.can_receive();
                let kept = uart.receive(steps.arbitrary()?);
                assert!(!could || kept, "a character is lost that there was room for");
                assert!(!kept || uart.read(FR) & RXFE == 0, "a character is kept, and the FIFO is empty");
            }
            6 => {
                // A FIFO's depth of characters leaves at the most.
                let left = (0..).take_while(|_| uart.transmitted().is_some()).count();
                assert!(left <= 33, "{left} characters left at once");
            }
            _ => uart.reset(),
        }
        assert_eq!(uart.irq_level(), uart.read(MIS) != 0, "the line is what the status says");
    }
    Ok(())
}

fn offset(steps: &mut Unstructured) -> Result<u64> {
    let offset: u16 = steps.arbitrary()?;
    Ok(u64::from(if steps.ratio(7, 8)? { offset % 0x4c & !3 } else { offset }))
}

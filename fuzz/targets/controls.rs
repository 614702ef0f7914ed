//! Management calls by a port: requests, buffers for answers and programs that close and open it, at random.
#![no_main]

use std::cell::Cell;

use fuzz::operations;
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use portcullis_links::controls::{Desk, LENGTH, MOST, Requests};
use portcullis_virtio::fake::{Driver, Ram, START};
use portcullis_virtio::{Budget, Chain, Features, Queue};

/// Bytes of the guest's memory.
const SIZE: usize = 1 << 16;
const DATA: u64 = START + 0x4000;

fuzz_target!(|data: &[u8]| {
    let _ = play(&mut Unstructured::new(data));
});

/// Some buffers of a chain, and how many of them are read.
fn buffers(steps: &mut Unstructured, whole: bool) -> Result<Vec<(u64, u32)>> {
    let mut at = DATA + u64::from(steps.arbitrary::<u8>()?) * 128;
    let mut buffers = Vec::new();
    for _ in 0..steps.int_in_range(1..=3)? {
        let length = u32::from(steps.arbitrary::<u8>()?);
        let length = if whole { length.next_multiple_of(LENGTH) } else { length };
        buffers.push((at, length));
        at += u64::from(length);
    }
    Ok(buffers)
}

fn play(steps: &mut Unstructured) -> Result<()> {
    let mut ram = Ram::new(SIZE);
    let [mut asks, mut takes] = [START, START + 0x1000].map(|at| Driver::new(at, 32));
    let features = Features { indirect: true, event_index: true };
    let [mut requests, mut answers] = [&asks, &takes].map(|driver| Queue::new(driver.layout, features, &ram).unwrap());
    let (mut state, mut request, mut answer) = (Requests::new(), Chain::new(), Chain::new());
    let mut open = true;
    // Answers that were made, and those that the driver has seen.
    let (mut made, mut seen) = (0_u32, 0_u32);
    // It has written where the device does, perhaps.
    let mut spoiled = false;
    while !steps.is_empty() {
        operations::count(1);
        match steps.int_in_range(0..=6u8)? {
            0 | 1 => {
                let (whole, chain) = (steps.ratio(3, 4)?, steps.ratio(7, 8)?);
                let buffers = buffers(steps, whole)?;
                asks.give(&mut ram, &buffers, if chain { buffers.len() } else { 0 });
            }
            2 => {
                let buffers = buffers(steps, true)?;
                takes.give(&mut ram, &buffers, 0);
            }
            3 => {
                let place = steps.int_in_range(0..=SIZE - 1)?;
                ram.bytes[place] = steps.arbitrary()?;
                spoiled = true;
            }
            4 => {
                let Ok(end) = requests.end(&mut ram) else { return Ok(()) };
                state.close(end);
                open = false;
            }
            5 => open = true,
            _ => {
                let still = Cell::new(steps.int_in_range(0..=u32::from(u8::MAX))?);
                let mut served = 0;
                let mut desk = Desk {
                    requests: &mut requests,
                    answers: Some(&mut answers),
                    memory: &mut ram,
                    request: &mut request,
                    answer: &mut answer,
                };
                // After so many requests it is another program's turn.
                let same = || {
                    still.set(still.get().saturating_sub(1));
                    still.get() > 0
                };
                let done = state.work(&mut desk, open, &mut Budget::new(), same, |_, _| {
                    served += 1;
                    [served.into(); 4]
                });
                assert!(served <= MOST && (open || served == 0), "{served}");
                made += served;
                let shown = requests.publish(&mut ram).and(answers.publish(&mut ram));
                while !spoiled && let Some((_, length)) = takes.used(&ram) {
                    assert_eq!(length, LENGTH, "an answer is whole");
                    seen += 1;
                    assert!(seen <= made, "each request has one");
                }
                if done.is_err() || shown.is_err() {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

//! The stubs of `guest-images/bench` at EL2.

use anyhow::Result;
use bench_guests::configuration::flag;

use super::other::{Other, Part, Refusals, image, loaded, run};
use crate::bench::measure::Bench;
use crate::bench::measurement::{CPU, Measurements};
use crate::metal;

/// Where the stubs expect the guest.
const GUEST_ADDRESS: u64 = 0x5000_0000;

/// Measures the stubs. What enters Rust is compared with the one that saves all registers.
///
/// # Errors
///
/// A run that failed.
pub fn measure(bench: &Bench) -> Result<Measurements> {
    let mut found = Measurements::new();
    for (stub, part) in [
        ("floor-calls", Part::Calls),
        ("floor-saved", Part::Calls),
        ("floor-interrupts", Part::Interrupts),
        ("floor-interrupts", Part::Pair),
    ] {
        let mut configuration = part.configuration();
        configuration.flags |= flag::STAY | flag::PSCI_SMC;
        if part == Part::Calls {
            // The two instructions do not step over an SMC.
            configuration.flags |= flag::NO_SMC;
        }
        let name = format!("{stub}-{}", part.name());
        let guest = image(bench, &name, part, &configuration)?;
        let stub_image = metal::image(bench.environment, stub)?;
        let mut arguments = vec!["-kernel".to_owned(), stub_image.display().to_string()];
        arguments.extend(loaded(&guest, GUEST_ADDRESS));
        let other =
            Other { name, cpu: CPU, part, configuration, refusals: Refusals::Counted, arguments, end: ": done" };
        let measured = run(bench, &other)?;
        if stub == "floor-saved" {
            found.extend(measured.into_iter().filter(|(key, _)| key.ends_with(" refused-reset")));
        } else {
            found.extend(measured);
        }
    }
    Ok(found)
}

//! Sequences of what a guest, its devices and its cores do to a virtual GIC.

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use portcullis_vgic::{GicVersion, Vgic};

use crate::core::Core;

/// vCPUs of the VM.
const VCPUS: usize = 3;

/// Carries out the steps that `data` stands for. `SOURCES` says whether it is a GICv2.
///
/// # Errors
///
/// The data is at its end.
pub fn run<const SOURCES: bool>(data: &[u8]) -> Result<()> {
    let version = if SOURCES { GicVersion::V2 } else { GicVersion::V3 };
    let gic = Vgic::of_version(version, VCPUS);
    let mut cores: [Core<SOURCES>; VCPUS] = Default::default();
    for (vcpu, core) in cores.iter_mut().enumerate() {
        core.reset(&gic, vcpu);
    }
    let mut steps = Unstructured::new(data);
    while !steps.is_empty() {
        step(&gic, &mut cores, &mut steps)?;
    }
    for (vcpu, core) in cores.iter_mut().enumerate() {
        core.enter(&gic, vcpu);
    }
    Ok(())
}

fn step<const SOURCES: bool>(gic: &Vgic, cores: &mut [Core<SOURCES>; VCPUS], steps: &mut Unstructured) -> Result<()> {
    let vcpu = steps.int_in_range(0..=VCPUS - 1)?;
    let core = &mut cores[vcpu];
    // Whoever traps has left the guest, and enters it again afterwards.
    let size = 1 << steps.int_in_range(0..=3u8)?;
    match steps.int_in_range(0..=9u8)? {
        0 | 1 => {
            let (offset, value) = (offset(steps)?, steps.arbitrary()?);
            if SOURCES {
                let _ = gic.write_gicv2_distributor(vcpu, offset, size, value);
            } else {
                let _ = gic.write_distributor(vcpu, offset, size, value);
            }
        }
        2 => {
            let offset = offset(steps)?;
            let value = if SOURCES {
                gic.read_gicv2_distributor(vcpu, offset, size, core)
            } else {
                gic.read_distributor(vcpu, offset, size, core)
            };
            assert!(size == 8 || value >> (size * 8) == 0, "{size} bytes at {offset:#x} read as {value:#x}");
        }
        3 | 4 if !SOURCES => {
            let (frame, offset, value) = (steps.int_in_range(0..=VCPUS)?, frame_offset(steps)?, steps.arbitrary()?);
            let _ = gic.write_redistributor(vcpu, frame, offset, size, value);
        }
        5 if !SOURCES => {
            let (frame, offset) = (steps.int_in_range(0..=VCPUS)?, frame_offset(steps)?);
            let value = gic.read_redistributor(vcpu, frame, offset, size, core);
            assert!(size == 8 || value >> (size * 8) == 0, "{size} bytes at {offset:#x} read as {value:#x}");
        }
        3..=5 => _ = gic.write_sgir(vcpu, steps.arbitrary()?),
        6 if !SOURCES => _ = gic.write_sgi1r(vcpu, steps.arbitrary()?),
        6 | 7 => _ = gic.set_spi_level(steps.int_in_range(0..=1100)?, steps.arbitrary()?),
        8 => core.acknowledge(steps.arbitrary::<u8>()?.into()),
        _ => core.end(steps.arbitrary::<u8>()?.into()),
    }
    core.enter(gic, vcpu);
    Ok(())
}

/// An offset into the distributor: mostly where there are registers.
fn offset(steps: &mut Unstructured) -> Result<u64> {
    let offset: u16 = steps.arbitrary()?;
    Ok(u64::from(if steps.ratio(7, 8)? { offset % 0x1000 } else { offset }))
}

/// An offset into a redistributor's two frames.
fn frame_offset(steps: &mut Unstructured) -> Result<u64> {
    Ok(offset(steps)? | if steps.ratio(7, 8)? { 0x1_0000 } else { 0 })
}

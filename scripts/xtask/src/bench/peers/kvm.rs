//! KVM: Debian's kernel with a minimal VMM (`guest-images/linux/vmm`) as its first program.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::other::{Other, Part, Refusals, image, run};
use crate::bench::measure::Bench;
use crate::bench::measurement::Measurements;
use crate::guests::cpio::Archive;
use crate::guests::debian::{self, Release};
use crate::metal;

/// Measures KVM on a CPU: with VHE if the CPU has it.
///
/// # Errors
///
/// The kernel cannot be had, or a run failed.
pub fn measure(bench: &Bench, key: &str, cpu: &str) -> Result<Measurements> {
    let kernel = debian::kernel(bench.environment, Release::BookwormBackports)?.image;
    let mut found = Measurements::new();
    for part in Part::ALL {
        let name = format!("{key}-{}", part.name());
        let configuration = part.configuration();
        let initrd = initial_ram_disk(bench, &name, part)?;
        let line = format!("console=ttyAMA0 quiet panic=-1 -- cpus={}", part.cpus());
        let arguments =
            ["-kernel", &kernel.display().to_string(), "-initrd", &initrd.display().to_string(), "-append", &line];
        let arguments = arguments.map(str::to_owned).to_vec();
        found.extend(run(
            bench,
            &Other { name, cpu, part, configuration, refusals: Refusals::LeftOut, arguments, end: "vmm: " },
        )?);
    }
    Ok(found)
}

fn initial_ram_disk(bench: &Bench, name: &str, part: Part) -> Result<PathBuf> {
    let guest = image(bench, name, part, &part.configuration())?;
    let mut archive = Archive::default();
    archive.folder("dev");
    let vmm = metal::program(bench.environment, "vmm");
    archive.file("init", true, &fs::read(&vmm).with_context(|| format!("{} cannot be read", vmm.display()))?);
    archive.file("guest.img", false, &fs::read(guest)?);
    let path = bench.folder.join(format!("{name}.cpio"));
    fs::write(&path, archive.finish()).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(path)
}

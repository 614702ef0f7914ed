//! Where images lie, held against a running QEMU: its `virt` machine says by itself where it has put kernel, RAM disk and device
//! tree (`info roms` of its monitor, hw/core/loader.c), before any instruction of them was executed.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use portcullis_abi::map::RAM;
use portcullis_board::Range;
use portcullis_bundle::image::{Kernel, Layout, Parts, Wish};

use super::filter::Filter;
use super::tally::Tally;
use crate::environment::Environment;

/// Its name in the list of results.
const NAME: &str = "placement-as-on-virt";
/// What is compared: memory in MiB.
const MEMORY: [u64; 4] = [64, 128, 256, 1024];
/// An upper bound for a guest's device tree.
const TREE: u64 = 0x4000;

/// A kernel by what its header says; none is a raw binary.
type Header = Option<(u64, u64)>;

/// Offset and size in memory that headers say.
const KERNELS: [Header; 5] =
    [None, Some((0, 0x9_0000)), Some((0x8_0000, 0x9_0000)), Some((0, 40 << 20)), Some((0x100, 0))];

/// Compares all of them, if the filter selects it.
pub fn run(environment: &Environment, filter: &Filter, tally: &mut Tally) {
    if !filter.selects("qemu", NAME) {
        return;
    }
    let start = Instant::now();
    let name = format!("qemu {NAME}");
    match complaints(environment) {
        Ok(complaints) if complaints.is_empty() => tally.pass(&name, start.elapsed()),
        Ok(complaints) => tally.fail(&name, &complaints.join("\n")),
        Err(error) => tally.fail(&name, &format!("{error:#}")),
    }
}

fn complaints(environment: &Environment) -> Result<Vec<String>> {
    let folder = tempfile::tempdir()?;
    let (image, disk) = (folder.path().join("image"), folder.path().join("disk"));
    fs::write(&disk, [b'd'; 300_000])?;
    let mut complaints = Vec::new();
    for header in KERNELS {
        let bytes = kernel(header);
        fs::write(&image, &bytes)?;
        for (memory, with_disk) in MEMORY.into_iter().flat_map(|memory| [(memory, false), (memory, true)]) {
            let parts = Parts { kernel: Kernel::parse(&bytes)?, initrd: with_disk.then_some(300_000), tree: TREE };
            let ours = Layout::place(Range::sized(RAM, memory << 20), &parts, Wish::default())?;
            let mut qemu = Command::new(environment.get("QEMU")?);
            qemu.args(["-machine", "virt,gic-version=3", "-cpu", "max", "-S", "-display", "none", "-nic", "none"]);
            qemu.args(["-serial", "null", "-monitor", "stdio", "-m", &format!("{memory}M"), "-kernel"]).arg(&image);
            if with_disk {
                qemu.arg("-initrd").arg(&disk);
            }
            let roms = roms(qemu)?;
            let theirs = [Some("image"), with_disk.then_some("disk"), Some("dtb")].map(|name| find(&roms, name?));
            let ours = [Some(ours.kernel), ours.initrd, Some(ours.dtb)].map(|range| range.map(|range| range.start));
            if ours != theirs {
                complaints.push(format!(
                    "{header:x?} in {memory} MiB: kernel, RAM disk and tree are at {ours:x?}, QEMU has them at {theirs:x?}"
                ));
            }
        }
    }
    Ok(complaints)
}

/// A kernel with this header (Linux, Documentation/arch/arm64/booting.rst, section 4), or a raw binary.
fn kernel(header: Header) -> Vec<u8> {
    let mut bytes = vec![0x14; 100_000];
    if let Some((offset, size)) = header {
        bytes[8..16].copy_from_slice(&offset.to_le_bytes());
        bytes[16..24].copy_from_slice(&size.to_le_bytes());
        bytes[24..32].copy_from_slice(&0b1010u64.to_le_bytes());
        bytes[56..60].copy_from_slice(b"ARM\x64");
    }
    bytes
}

/// What `qemu`, which waits for its monitor, says of what it has loaded.
fn roms(mut qemu: Command) -> Result<String> {
    let mut child = qemu.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    child.stdin.take().context("QEMU has no input")?.write_all(b"info roms\nquit\n")?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "QEMU: {}", String::from_utf8_lossy(&output.stderr).trim());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !text.contains("name=\"dtb\"") {
        bail!("QEMU tells of no device tree: {text}");
    }
    Ok(text)
}

/// The address of what has this name, or is a file with it.
fn find(roms: &str, name: &str) -> Option<u64> {
    let ends = [format!("name=\"{name}\""), format!("/{name}\"")];
    let line = roms.lines().find(|line| ends.iter().any(|end| line.trim_end().ends_with(end)))?;
    let address = line.split("addr=").nth(1)?.split_whitespace().next()?;
    u64::from_str_radix(address, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_by_name() {
        let roms = "QEMU 10.0.2 monitor\n(qemu) info roms\r\n\
            addr=0000000040200000 size=0x030d40 mem=ram name=\"/a/image\"\r\n\
            addr=0000000048200000 size=0x100000 mem=ram name=\"dtb\"\r\n";
        assert_eq!(find(roms, "image"), Some(0x4020_0000));
        assert_eq!(find(roms, "dtb"), Some(0x4820_0000));
        assert_eq!(find(roms, "disk"), None);
    }
}

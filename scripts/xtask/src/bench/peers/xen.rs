//! Xen 4.20 of Debian 13, with the guest as dom0, or as a domU with an emulated PL011 beside a dom0 that sleeps.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, ensure};
use bench_guests::configuration::{Configuration, Output};
use dtoolkit::ToPropertyValue;
use dtoolkit::fdt::Fdt;
use dtoolkit::model::{DeviceTree, DeviceTreeNode, DeviceTreeProperty};

use super::other::{MACHINE, MEMORY, Other, Part, Refusals, image, loaded, run};
use crate::bench::measure::{Bench, CLOCK};
use crate::bench::measurement::{CPU, Measurements};
use crate::guests::debian;

/// Where the guests' images lie until Xen copies them.
const DOM0_ADDRESS: u64 = 0x4a00_0000;
const DOMU_ADDRESS: u64 = 0x4b00_0000;
/// SPI of the emulated machine that dom0 owns and nothing uses: the RTC's.
const DOM0_INTERRUPT: u32 = 34;
/// Addresses in a domU (Xen, xen/include/public/arch-arm.h).
const DOMU_UART: u64 = 0x2200_0000;
const DOMU_GICD: u64 = 0x0300_1000;
const DOMU_GICR: u64 = 0x0302_0000;
/// An arm64 Image that waits for ever: `msr daifset, #15; wfi; b .-4`.
const SLEEPER: [u32; 3] = [0xd503_4fdf, 0xd503_207f, 0x17ff_ffff];

/// Measures Xen: dom0, and of a domU the UART.
///
/// # Errors
///
/// The package cannot be had, or a run failed.
pub fn measure(bench: &Bench) -> Result<Measurements> {
    let xen = debian::xen(bench.environment)?;
    let mut found = Measurements::new();
    for part in Part::ALL {
        let name = format!("xen-{}", part.name());
        let mut configuration = part.configuration();
        (configuration.output, configuration.interrupt) = (Output::Xen as u32, DOM0_INTERRUPT);
        let guest = image(bench, &name, part, &configuration)?;
        let modules = [Module { address: DOM0_ADDRESS, file: &guest }];
        found.extend(run(bench, &other(bench, &xen, name, part, configuration, &modules)?)?);
    }
    let name = "xen-domu".to_owned();
    let (uart, distributor, redistributors) = (DOMU_UART, DOMU_GICD, DOMU_GICR);
    let part = Part::Interrupts;
    let configuration = Configuration { uart, distributor, redistributors, interrupt: 32, ..part.configuration() };
    let guest = image(bench, &name, part, &configuration)?;
    let sleeper = sleeper(&bench.folder)?;
    let modules = [Module { address: DOM0_ADDRESS, file: &sleeper }, Module { address: DOMU_ADDRESS, file: &guest }];
    let measured = run(bench, &other(bench, &xen, name, part, configuration, &modules)?)?;
    found.extend(measured.into_iter().filter(|(key, _)| key.starts_with("uart-")));
    Ok(found)
}

/// A kernel for a domain.
struct Module<'a> {
    address: u64,
    file: &'a Path,
}

fn other<'a>(
    bench: &Bench,
    xen: &Path,
    name: String,
    part: Part,
    configuration: Configuration,
    modules: &[Module],
) -> Result<Other<'a>> {
    let tree = tree(bench, &name, part.cpus(), modules)?;
    let mut arguments =
        vec!["-kernel".to_owned(), xen.display().to_string(), "-dtb".to_owned(), tree.display().to_string()];
    arguments.extend(modules.iter().flat_map(|module| loaded(module.file, module.address)));
    Ok(Other { name, cpu: CPU, part, configuration, refusals: Refusals::LeftOut, arguments, end: ": done" })
}

/// The machine's device tree with what Xen wants to know in `/chosen` (Xen, docs/misc/arm/device-tree/booting.txt).
fn tree(bench: &Bench, name: &str, cpus: u32, modules: &[Module]) -> Result<PathBuf> {
    let dumped = bench.folder.join(format!("{name}.machine.dtb"));
    let mut qemu = Command::new(bench.environment.get("QEMU")?);
    qemu.args(["-machine", &format!("{MACHINE},dumpdtb={}", dumped.display()), "-cpu", &format!("{CPU},{CLOCK}")]);
    qemu.args(["-smp", &cpus.to_string(), "-m", MEMORY, "-display", "none", "-nic", "none"]);
    let output = qemu.stdin(Stdio::null()).output().context("QEMU could not be started")?;
    ensure!(
        output.status.success(),
        "QEMU does not write its device tree: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let blob = fs::read(&dumped)?;
    let fdt = Fdt::new(&blob).map_err(|error| anyhow!("QEMU's device tree: {error}"))?;
    let mut tree = DeviceTree::from_fdt(&fdt);
    let chosen = tree.find_node_mut("/chosen").context("QEMU's device tree has no /chosen")?;
    let line = format!(
        "console=dtuart dtuart=/pl011@9000000 dom0_mem=64M dom0_max_vcpus={} console_timestamps=boot{} bootscrub=off",
        if modules.len() > 1 { 1 } else { cpus },
        if cpus > 1 { " dom0_vcpus_pin" } else { "" },
    );
    cells(chosen)?;
    add(chosen, "xen,xen-bootargs", line.as_str())?;
    for (number, module) in modules.iter().enumerate() {
        let size = fs::metadata(module.file)?.len();
        if number == 0 {
            chosen.add_child(kernel(module.address, size)?);
            continue;
        }
        let mut domain = node(&format!("domU{number}"))?;
        cells(&mut domain)?;
        add(&mut domain, "compatible", "xen,domain")?;
        add(&mut domain, "cpus", cpus)?;
        add(&mut domain, "memory", 0x1_0000_u64)?;
        add(&mut domain, "vpl011", &[][..] as &[u8])?;
        domain.add_child(kernel(module.address, size)?);
        chosen.add_child(domain);
    }
    let path = bench.folder.join(format!("{name}.dtb"));
    fs::write(&path, tree.to_dtb()).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(path)
}

/// The node of a domain's kernel.
fn kernel(address: u64, size: u64) -> Result<DeviceTreeNode> {
    let mut module = node(&format!("module@{address:x}"))?;
    add(&mut module, "compatible", &b"multiboot,kernel\0multiboot,module\0"[..])?;
    let reg: Vec<u8> = [address, size].iter().flat_map(|word| word.to_be_bytes()).collect();
    add(&mut module, "reg", reg)?;
    add(&mut module, "bootargs", "bench")?;
    Ok(module)
}

fn cells(to: &mut DeviceTreeNode) -> Result<()> {
    add(to, "#address-cells", 2_u32)?;
    add(to, "#size-cells", 2_u32)
}

fn node(name: &str) -> Result<DeviceTreeNode> {
    DeviceTreeNode::new(name).map_err(|error| anyhow!("node {name}: {error}"))
}

fn add<T: ToPropertyValue>(to: &mut DeviceTreeNode, name: &str, value: T) -> Result<()> {
    let property = DeviceTreeProperty::new(name, value).map_err(|error| anyhow!("property {name}: {error}"))?;
    to.add_property(property);
    Ok(())
}

/// Writes the image of a domain that only waits.
fn sleeper(folder: &Path) -> Result<PathBuf> {
    let mut image = vec![0; 64];
    image[..4].copy_from_slice(&0x1400_0010_u32.to_le_bytes()); // b .+64
    image[16..24].copy_from_slice(&0x1000_u64.to_le_bytes());
    image[24..32].copy_from_slice(&0xa_u64.to_le_bytes());
    image[56..60].copy_from_slice(b"ARM\x64");
    image.extend(SLEEPER.iter().flat_map(|word| word.to_le_bytes()));
    let path = folder.join("sleeper.img");
    fs::write(&path, image).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(path)
}

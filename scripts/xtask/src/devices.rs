//! Whether the devices that a manifest gives to VMs can be given, by the device tree of the board as QEMU makes it. The
//! hypervisor's own code judges, as it will at boot.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use portcullis_board::device::Device;
use portcullis_bundle::Bundle;
use portcullis_platform::facts::Facts;
use portcullis_platform::passthrough;

use crate::machine::{self, Keyboard, Next, Watcher};

/// When a QEMU that is only to write its device tree is ended.
const TIMEOUT: Duration = Duration::from_secs(20);

struct Silent;

impl Watcher for Silent {
    fn bytes(&mut self, _: &[u8]) {}

    fn line(&mut self, _: &str) -> Next {
        Next::Continue
    }

    fn longer(&mut self, _: &str) -> Next {
        Next::Continue
    }
}

/// Checks the devices of the bundle, with QEMU as it will be started, and returns those that VMs are given. The tree is written to
/// `folder` meanwhile. A machine whose tree is not QEMU's is left to the hypervisor, and nothing is returned.
///
/// # Errors
///
/// The first device that a VM cannot have, or a QEMU that does not start.
pub fn check(qemu: Command, bundle: &Path, folder: &Path) -> Result<Vec<Device>> {
    let bundle = read(bundle)?;
    let Ok(bundle) = Bundle::parse(bundle) else { return Ok(Vec::new()) };
    if !passthrough::wanted(&bundle) {
        return Ok(Vec::new());
    }
    let Some(blob) = dump(qemu, folder)? else { return Ok(Vec::new()) };
    let blob = blob.leak();
    match Facts::from_tree(blob).map(|facts| passthrough::find(&facts, blob, &bundle)) {
        Ok(Err(impossible)) => Err(anyhow!("{impossible}")),
        Ok(Ok(given)) => Ok(given.iter().map(|(_, device)| device.clone()).collect()),
        Err(_) => Ok(Vec::new()),
    }
}

/// The device tree that QEMU makes when it is started like this, by way of a file in `folder`; none if it makes none.
///
/// # Errors
///
/// QEMU does not start, or the file cannot be removed.
pub fn dump(mut qemu: Command, folder: &Path) -> Result<Option<Vec<u8>>> {
    let tree = folder.join("devices.dtb");
    qemu.args(["-machine", &format!("dumpdtb={}", crate::el3::option(&tree))]);
    machine::run(qemu, Keyboard::None, Some(TIMEOUT), &mut Silent)?;
    let Ok(blob) = fs::read(&tree) else { return Ok(None) };
    fs::remove_file(&tree)?;
    Ok(Some(blob))
}

/// A file for as long as this program runs.
fn read(file: &Path) -> Result<&'static [u8]> {
    let content = fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(content.leak())
}

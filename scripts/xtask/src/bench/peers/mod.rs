//! Others, measured again with the same guests: the floor, KVM and Xen.

pub mod floor;
pub mod kvm;
pub mod links;
mod other;
pub mod xen;

use std::collections::BTreeMap;

use anyhow::Result;

use super::measure::Bench;
use super::measurement::{CPU, Measurements};

/// A CPU model with VHE that needs nothing against speculation either.
const CPU_WITH_VHE: &str = "cortex-a55";

/// Measures all of them, by their keys in the rows.
///
/// # Errors
///
/// A package that cannot be had, or a run that failed.
pub fn measure(bench: &Bench) -> Result<BTreeMap<String, Measurements>> {
    let mut found = measure_links(bench)?;
    // Whatever a guest copies by itself is nothing to the stubs: the floor of that is the copy.
    let copies = found.remove("floor").unwrap_or_default();
    found.insert("floor".to_owned(), floor::measure(bench)?.into_iter().chain(copies).collect());
    found.insert("xen".to_owned(), xen::measure(bench)?);
    for (key, cpu) in [("kvm-nvhe", CPU), ("kvm-vhe", CPU_WITH_VHE)] {
        found.insert(key.to_owned(), kvm::measure(bench, key, cpu)?);
    }
    Ok(found)
}

/// Measures what links between VMs cost, and a VM that is saved, with those that have such, by their keys in the rows; and the
/// floor of both.
///
/// # Errors
///
/// As for [`measure`].
pub fn measure_links(bench: &Bench) -> Result<BTreeMap<String, Measurements>> {
    let host = links::Host::new(bench)?;
    let mut found = BTreeMap::from([("floor".to_owned(), host.copies()?), ("kvm".to_owned(), host.save()?)]);
    for (key, transport) in links::TRANSPORTS {
        found.insert(key.to_owned(), host.links(key, transport)?);
    }
    Ok(found)
}

//! The packages of the workspace, by where they run.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use toml::de::DeTable;

use crate::environment::Environment;
use crate::metal;

/// Packages that are nothing but start-up code for the bare machine.
const BARE_METAL_ONLY: [&str; 4] = [metal::HYPERVISOR, "clocks", "phc", "vmm"];

/// Names of the packages that are built and tested on the host.
///
/// # Errors
///
/// A manifest of cargo's cannot be read.
pub fn host_packages(environment: &Environment) -> Result<Vec<String>> {
    let root = read(&environment.root.join("Cargo.toml"))?;
    let root = parse(&root)?;
    let members = root.get("workspace").and_then(|workspace| workspace.get_ref().get("members"));
    let members =
        members.and_then(|members| members.get_ref().as_array()).context("Cargo.toml has no workspace.members")?;
    let mut packages = Vec::new();
    for member in members {
        let folder = member.get_ref().as_str().context("a member of the workspace that is no string")?;
        let manifest = read(&environment.root.join(folder).join("Cargo.toml"))?;
        let manifest = parse(&manifest)?;
        let name = manifest.get("package").and_then(|package| package.get_ref().get("name"));
        let name = name
            .and_then(|name| name.get_ref().as_str())
            .with_context(|| format!("{folder}/Cargo.toml has no package.name"))?;
        packages.push(name.to_owned());
    }
    packages.retain(|package| !BARE_METAL_ONLY.contains(&package.as_str()));
    Ok(packages)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

fn parse(text: &str) -> Result<DeTable<'_>> {
    Ok(DeTable::parse(text).context("a Cargo.toml is no TOML")?.into_inner())
}

//! Which way imports run in the hypervisor: between crates down only, between the files of a crate in no circle, and inside
//! `hypervisor/core` between its floors down only.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};

use super::filter::Filter;
use super::imports::Crate;
use super::tally::Tally;
use crate::environment::Environment;

/// The crates by the name that `use` lines have for them, with their folders, from the ground up. A crate uses what stands on the
/// floors below its own; those on one floor do not know each other.
const FLOORS: [&[(&str, &str)]; 7] = [
    &[
        ("portcullis_abi", "hypervisor/abi"),
        ("portcullis_board", "hypervisor/board"),
        ("portcullis_tree", "hypervisor/tree"),
    ],
    &[
        ("portcullis_console", "hypervisor/console"),
        ("portcullis_devices", "hypervisor/devices"),
        ("portcullis_gate", "hypervisor/gate"),
        ("portcullis_trace", "hypervisor/trace"),
        ("portcullis_vgic", "hypervisor/vgic"),
    ],
    &[
        ("portcullis_arch", "hypervisor/arch"),
        ("portcullis_stream", "hypervisor/stream"),
        ("portcullis_virtio", "hypervisor/virtio"),
    ],
    &[("portcullis_bundle", "hypervisor/bundle"), ("portcullis_links", "hypervisor/links")],
    &[("portcullis_core", "hypervisor/core"), ("portcullis_platform", "platform")],
    &[("portcullis_efi", "boot/efi")],
    &[("the image", "boot")],
];

/// The crate that has floors of its own.
const CORE: &str = "hypervisor/core";

/// The floors of `hypervisor/core`, from the ground up: its folders, and files beside them. What is in one uses what stands below;
/// those on one floor do not know each other.
const CORE_FLOORS: &[&[&str]] = &[
    &["entropy", "memory", "schedule", "serial", "trace"],
    &["cpu", "logger"],
    &["devices"],
    &["links"],
    &["vm"],
    &["machine"],
    &["life"],
    &["run"],
    &["manage"],
    &["service"],
    &["trap"],
    // The machine of the tests, which only they have.
    &["rig"],
];

/// Circles that there are still, by crate: no other one is let in, and none of these grows.
const CIRCLES: &[(&str, &[&str])] = &[
    // A command gets the context, in which the commands are, so that one can run another.
    ("guest-images/ops", &["command::entry", "context"]),
];

/// Guests and tools: none of them is used by the hypervisor, and each is without a circle, too.
const OTHERS: &[&str] = &[
    "guest-images/bench",
    "guest-images/conformance",
    "guest-images/controls",
    "guest-images/firmware",
    "guest-images/linux/clocks",
    "guest-images/linux/ops-by-port",
    "guest-images/linux/peer-links",
    "guest-images/linux/phc",
    "guest-images/linux/vmm",
    "guest-images/manager",
    "guest-images/mmio",
    "guest-images/ops",
    "guest-images/runtime",
    "guest-images/virtio",
    "scripts/c-header",
    "scripts/picture",
    "scripts/system",
    "scripts/xtask",
];

/// Runs the check.
pub fn run(environment: &Environment, filter: &Filter, tally: &mut Tally) {
    const NAME: &str = "arrows";
    if !filter.selects("lint", NAME) {
        return;
    }
    let start = Instant::now();
    match complaints(&environment.root) {
        Ok(complaints) if complaints.is_empty() => tally.pass(&format!("lint {NAME}"), start.elapsed()),
        Ok(complaints) => tally.fail(&format!("lint {NAME}"), &complaints.join("\n")),
        Err(error) => tally.fail(&format!("lint {NAME}"), &format!("{error:#}")),
    }
}

/// What is wrong with the imports of the tree at `root`, a line each.
fn complaints(root: &Path) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    let mut below: Vec<&str> = Vec::new();
    for floor in FLOORS {
        for (name, folder) in floor {
            let mut files = Vec::new();
            read(&root.join(folder).join("src"), "", &mut files)?;
            let mut own = Crate::default();
            for (path, text) in &files {
                own.add(path, text);
                let others = FLOORS.iter().flat_map(|floor| floor.iter()).map(|(other, _)| *other);
                for other in others.filter(|other| other != name && !below.contains(other) && uses(text, other)) {
                    complaints.push(format!("{folder}/src/{path} uses {other}, which does not stand below {name}"));
                }
            }
            complaints.extend(circles(folder, &own));
            if *folder == CORE {
                complaints.extend(upward(&own, CORE_FLOORS));
            }
        }
        below.extend(floor.iter().map(|(name, _)| *name));
    }
    for folder in OTHERS {
        let mut files = Vec::new();
        read(&root.join(folder).join("src"), "", &mut files)?;
        let mut own = Crate::default();
        files.iter().for_each(|(path, text)| own.add(path, text));
        complaints.extend(circles(folder, &own));
    }
    Ok(complaints)
}

/// What is wrong with the circles of the crate in `folder`.
fn circles(folder: &str, own: &Crate) -> Vec<String> {
    let known =
        CIRCLES.iter().filter(|(place, _)| *place == folder).map(|(_, circle)| circle.iter().copied().collect());
    let known: Vec<BTreeSet<&str>> = known.collect();
    let found = own.circles();
    let new = found.iter().filter(|circle| !known.iter().any(|known| circle.is_subset(known)));
    let new = new.map(|circle| format!("{folder} has a new circle: {}", list(circle)));
    let gone = known.iter().filter(|known| !found.iter().any(|circle| circle.is_subset(known)));
    let gone = gone.map(|circle| format!("{folder} has no circle of these any more; unlist them: {}", list(circle)));
    new.chain(gone).collect()
}

/// What is wrong with the imports of [`CORE`], whose floors are `floors`.
fn upward(own: &Crate, floors: &[&[&str]]) -> Vec<String> {
    let room = |module: &str| module.split("::").next().unwrap_or_default().to_owned();
    let floor = |room: &str| floors.iter().position(|floor| floor.contains(&room));
    let mut complaints = BTreeSet::new();
    for module in own.names().filter(|module| !module.is_empty()) {
        let from = room(module);
        let Some(stands) = floor(&from) else {
            complaints.insert(format!("{CORE}/src/{from} has no floor: put it into CORE_FLOORS"));
            continue;
        };
        // What stands in the root is a macro.
        for to in own.imports(module).into_iter().map(room).filter(|to| !to.is_empty() && *to != from) {
            if floor(&to).is_none_or(|below| below >= stands) {
                complaints.insert(format!("{CORE}: {module} uses {to}, which does not stand below {from}"));
            }
        }
    }
    let gone =
        floors.iter().flat_map(|floor| floor.iter()).filter(|known| own.names().all(|name| room(name) != **known));
    complaints.extend(gone.map(|known| format!("{CORE} has no {known} any more: take it out of CORE_FLOORS")));
    complaints.into_iter().collect()
}

fn list(circle: &BTreeSet<&str>) -> String {
    circle.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

/// Whether a text that is no comment names the crate `name`.
fn uses(text: &str, name: &str) -> bool {
    let code = text.lines().map(str::trim_start).filter(|line| !line.starts_with("//"));
    code.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_')).any(|word| word == name)
}

/// Reads the Rust files below `folder` that are not tests' alone, with their paths from there on.
fn read(folder: &Path, prefix: &str, files: &mut Vec<(String, String)>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !matches!(name.as_str(), "tests" | "fake") {
            read(&path, &format!("{prefix}{name}/"), files)?;
        } else if name.ends_with(".rs") && name != "tests.rs" && name != "fake.rs" {
            let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
            files.push((format!("{prefix}{name}"), text));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_circle_is_a_complaint() {
        let mut own = Crate::default();
        own.add("lib.rs", "mod a;\nmod b;\n");
        own.add("a.rs", "use crate::b::B;\n");
        own.add("b.rs", "use crate::a::A;\n");
        assert_eq!(circles("hypervisor/none", &own), ["hypervisor/none has a new circle: \"a\", \"b\""]);
    }

    #[test]
    fn an_arrow_that_runs_up_or_across_is_a_complaint() {
        let house = |files: &[(&str, &str)]| {
            let mut own = Crate::default();
            own.add("lib.rs", "pub mod cellar;\npub mod shed;\npub mod roof;\n");
            files.iter().for_each(|(path, text)| own.add(path, text));
            own
        };
        let floors: &[&[&str]] = &[&["cellar", "shed"], &["roof"]];
        let sound = [
            ("cellar.rs", "use core::fmt;\n"),
            ("shed/mod.rs", "mod door;\n"),
            ("shed/door.rs", "use super::Lock;\n"),
            ("roof.rs", "use crate::cellar::Coal;\nuse crate::shed::door;\n"),
        ];
        assert_eq!(upward(&house(&sound), floors), [""; 0]);
        let up = [&sound[1..], &[("cellar.rs", "use crate::roof::Tile;\n")]].concat();
        assert_eq!(
            upward(&house(&up), floors),
            ["hypervisor/core: cellar uses roof, which does not stand below cellar"]
        );
        let across = [&sound[..], &[("shed/door.rs", "use crate::cellar::Coal;\n")]].concat();
        assert_eq!(
            upward(&house(&across), floors),
            ["hypervisor/core: shed::door uses cellar, which does not stand below shed"]
        );
        let unknown = [&sound[..], &[("attic/mod.rs", "")]].concat();
        assert_eq!(
            upward(&house(&unknown), floors),
            ["hypervisor/core/src/attic has no floor: put it into CORE_FLOORS"]
        );
        assert_eq!(
            upward(&house(&sound[..3]), floors),
            ["hypervisor/core has no roof any more: take it out of CORE_FLOORS"]
        );
    }

    #[test]
    fn words_count_and_comments_do_not() {
        assert!(uses("use portcullis_core::vm;\n", "portcullis_core"));
        assert!(uses("    portcullis_core::x()\n", "portcullis_core"));
        assert!(!uses("/// [`portcullis_core`]\nuse portcullis_core_like;\n", "portcullis_core"));
    }
}

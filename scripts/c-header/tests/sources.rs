//! The header against the sources that it is made from.

use std::collections::BTreeMap;
use std::fs;

use c_header::constants::{self, Constant};
use c_header::{MODULES, header, spelling};

/// What the header does not have, by type or module, with the reason; each name stands below.
const LEFT_OUT: [(&str, &str, &[&str]); 4] = [
    (
        "text",
        "names of nodes and properties in a bundle, which only the writer and the reader in Rust need; cbindgen has no texts",
        &[
            "bundle::CONTROL",
            "bundle::VM_NODE",
            "bundle::NAME",
            "bundle::NETWORKS",
            "bundle::BETWEEN",
            "bundle::BLOCK",
            "bundle::CLIENT",
            "bundle::DISKS",
            "bundle::DISK_PORT",
            "bundle::EXPORT",
            "bundle::IMAGE",
            "bundle::READ_ONLY",
            "bundle::SCRATCH",
            "bundle::SERVER",
            "bundle::TIMEOUT",
            "bundle::CONSOLE",
            "bundle::RESERVED_PORTS",
            "bundle::SERIALS",
            "bundle::PORTS",
            "bundle::UNSEGMENTED",
            "bundle::MEMORY",
            "bundle::MTU",
            "bundle::CORES",
            "bundle::SLICES",
            "bundle::CMDLINE",
            "bundle::CONDUITS",
            "bundle::DEVICES",
            "bundle::IMPLEMENTATIONS",
            "bundle::SOC_ID",
            "bundle::TRUST_DMA",
            "bundle::FLASH",
            "bundle::KERNEL",
            "bundle::STORE",
            "bundle::INITRD",
            "bundle::DTB",
            "bundle::LOAD",
            "bundle::TREE_LOW",
            "bundle::FIRMWARE",
            "bundle::KEEP",
            "bundle::FILTER",
            "bundle::CORE_NODE",
            "bundle::CPU",
            "bundle::FRAME",
            "bundle::CACHED",
            "bundle::FROM",
            "bundle::SHARED_MEMORY",
            "bundle::SHARERS",
            "bundle::SIZE",
            "bundle::TO",
            "bundle::WIRES",
            "bundle::WINDOWS",
            "bundle::BACKGROUND",
        ],
    ),
    (
        "arrays of numbers",
        "C has no constant of that kind",
        &[
            "bundle::BLOCKS",
            "bundle::MAGIC",
            "firmware::ALL",
            "function::VENDOR_UID_WORDS",
            "function::TRNG_UUID_RNDRRS_WORDS",
            "function::TRNG_UUID_RNG200_WORDS",
        ],
    ),
    (
        "arrays of names",
        "words for the numbers beside them, for who shows them",
        &[
            "bundle::REGISTERS",
            "manage::ALL",
            "manage::STATUSES",
            "manage::PHASES",
            "manage::PROGRESSES",
            "manage::TRANSFERS",
            "manage::TRACE_KINDS",
            "manage::TRACE_LEAVES",
            "manage::TRACE_VERDICTS",
            "manage::VCPUS",
            "manage::FAILURES",
            "manage::FILTERS",
            "manage::SERVICES",
            "manage::CONDUITS",
            "manage::EXITS",
            "manage::EVENTS",
            "manage::LINKS",
            "manage::NETWORK_COUNTERS",
            "manage::SERIAL_COUNTERS",
            "manage::DISK_COUNTERS",
            "manage::WIRE_COUNTERS",
        ],
    ),
    (
        "state",
        "versions and bits of a saved VM's structures, which stay between two hypervisors: no call hands one out",
        &[
            "state::calls::VERSION",
            "state::counter::VERSION",
            "state::devices::VERSION",
            "state::firmware::VERSION",
            "state::generation::VERSION",
            "state::gic::VERSION",
            "state::needs::VERSION",
            "state::needs::UART",
            "state::needs::RTC",
            "state::needs::GPIO",
            "state::links::CONSOLE",
            "state::links::DISK",
            "state::links::IMAGE",
            "state::links::NETWORK",
            "state::links::NONE",
            "state::links::SCRATCH",
            "state::links::SERVED",
            "state::links::VERSION",
            "state::links::ADDED",
            "state::links::NAMED",
            "state::links::OPEN",
            "state::links::OTHER",
            "state::links::READY",
            "state::needs::FLASH",
            "state::restarts::VERSION",
            "state::stolen::VERSION",
            "state::vcpu::VERSION",
            "state::virtio::NONE",
            "state::virtio::VERSION",
            "state::watchdog::VERSION",
        ],
    ),
];

/// The name of a constant in `LEFT_OUT`.
fn path(constant: &Constant) -> String {
    format!("{}::{}", constant.module.replace('/', "::"), constant.name)
}

#[test]
fn header_is_the_one_that_the_sources_give() {
    let made = header::make(&c_header::abi()).unwrap();
    let there = fs::read_to_string(c_header::path()).unwrap();
    let differs = made.lines().zip(there.lines()).find(|(made, there)| made != there);
    assert!(
        made == there,
        "hypervisor/abi/include/portcullis.h is old: run `cargo run -p c-header`; first: {differs:?}"
    );
}

#[test]
fn what_is_left_out_is_named() {
    let constants = constants::list(&c_header::abi().join("src")).unwrap();
    let header = fs::read_to_string(c_header::path()).unwrap();
    let mut left: Vec<_> = constants
        .iter()
        .filter(|constant| {
            !header.lines().any(|line| {
                line.strip_prefix("#define ").is_some_and(|rest| rest.split(' ').next() == Some(&constant.c_name()))
            })
        })
        .map(path)
        .collect();
    let mut named: Vec<_> = LEFT_OUT.iter().flat_map(|(.., names)| names.iter().map(ToString::to_string)).collect();
    left.sort();
    left.dedup();
    named.sort();
    assert_eq!(left, named, "left out, and named with a reason");
}

#[test]
fn no_link_of_rust_is_left() {
    let header = header::make(&c_header::abi()).unwrap();
    let left = header.lines().find(|line| line.contains("](") || line.contains("[`"));
    assert_eq!(left, None);
}

/// A module in several files is one in C: names of each, under the module's.
#[test]
fn parts_of_a_module_have_its_name() {
    let header = header::make(&c_header::abi()).unwrap();
    for name in ["BASE", "SUCCESS", "LINK_WIRE"] {
        assert!(header.contains(&format!("#define PORTCULLIS_MANAGE_{name} ")), "{name}");
    }
    let parts = constants::parts(&c_header::abi().join("src"), "manage").unwrap();
    let names: Vec<_> = parts.iter().filter_map(|part| part.file_name()?.to_str()).collect();
    assert_eq!(names, ["manage.rs", "event.rs", "link.rs", "moving.rs", "status.rs", "trace.rs", "transfer.rs"]);
    assert_eq!(constants::parts(&c_header::abi().join("src"), "state").unwrap().len(), 1, "these are modules");
}

#[test]
fn no_name_is_there_twice() {
    let mut names = BTreeMap::new();
    for constant in constants::list(&c_header::abi().join("src")).unwrap() {
        if MODULES.contains(&constant.module.as_str()) && spelling::width(&constant.kind).is_some() {
            let earlier = names.insert(constant.c_name(), path(&constant));
            assert_eq!(earlier, None, "{}", path(&constant));
        }
    }
}

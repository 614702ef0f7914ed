//! Pairs of serial ports, and the consoles that have them.

use super::*;
use crate::links::Serial;

/// What becomes of pairs of serial ports between these VMs, of which `a` and `b` have their consoles in slot 5.
fn serials(names: &[&str], ends: &[&[u32]]) -> Result<Vec<(String, [usize; 2])>, BundleError> {
    let data = write(
        |_| {},
        |tree| {
            for (number, name) in (0..).zip(["a", "b", "c"]) {
                vm(tree, number, name, &[], |tree| {
                    if name != "c" {
                        tree.property_u32("console", 5).unwrap();
                    }
                });
            }
            folder(tree, "serials", names, |tree, place| tree.property_array_u32("between", ends[place]).unwrap());
        },
    );
    let bundle = Bundle::parse(&data)?;
    assert!(bundle.vms().map(|vm| vm.console).eq([Some(5), Some(5), None]));
    Ok(bundle.serials().map(|Serial { name, vms }| (name.to_owned(), vms)).collect())
}

#[test]
fn serial_ports_are_read_and_fit() {
    let right = Ok(vec![("uplink".to_owned(), [1, 0]), ("gps".to_owned(), [0, 1])]);
    assert_eq!(serials(&["uplink", "gps"], &[&[1, 0], &[0, 1]]), right);
    let wrong = |index, error| self::wrong("serial", index, error);
    assert_eq!(serials(&["x", "x"], &[&[1, 0], &[0, 1]]), wrong(1, LinkError::Name));
    assert_eq!(serials(&["portcullis"], &[&[1, 0]]), wrong(0, LinkError::Name));
    assert_eq!(serials(&["x"], &[&[1, 1]]), wrong(0, LinkError::Same(1)));
    assert_eq!(serials(&["x"], &[&[1, 3]]), wrong(0, LinkError::NoVm(3)));
    assert_eq!(serials(&["x"], &[&[1, 2]]), wrong(0, LinkError::NoConsole(2)));
    assert_eq!(serials(&["x"], &[&[1]]), wrong(0, LinkError::Malformed("between")));
    let names: Vec<String> = (0..32).map(|number| format!("x{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(serials(&names, &[[0_u32, 1].as_slice(); 32]), wrong(31, LinkError::TooMany(31)));
    assert_eq!(serials(&names[..31], &[[0_u32, 1].as_slice(); 31]).map(|pairs| pairs.len()), Ok(31));
    // The control VM has some of EL2's own.
    let managed = |count: usize| {
        let data = write(
            |tree| tree.property_string("control", "b").unwrap(),
            |tree| {
                (0..).zip(["a", "b"]).for_each(|(number, name)| {
                    vm(tree, number, name, &[], |tree| tree.property_u32("console", 0).unwrap());
                });
                folder(tree, "serials", &names[..count], |tree, _| {
                    tree.property_array_u32("between", &[0, 1]).unwrap();
                });
            },
        );
        Bundle::parse(&data).map(drop)
    };
    assert_eq!((managed(28), managed(29)), (Ok(()), Err(BundleError::Vm(1, VmError::Ports))));
    let data = connected(|tree| folder(tree, "serials", &["x"], |_, _| ()));
    assert_eq!(Bundle::parse(&data).map(drop), self::wrong("serial", 0, LinkError::Missing("between")));
}

/// A console's slot is one of a VM's, and no other device's.
#[test]
fn a_console_has_a_slot_of_its_own() {
    let with = |slot: u32, links: &dyn Fn(&mut FdtWriter)| {
        let data = write(
            |_| {},
            |tree| {
                for (number, name) in (0..).zip(["a", "b", "c"]) {
                    vm(tree, number, name, &[], |tree| tree.property_u32("console", slot).unwrap());
                }
                links(tree);
            },
        );
        Bundle::parse(&data).map(drop)
    };
    assert_eq!(with(31, &|_| ()), Ok(()));
    assert_eq!(with(32, &|_| ()), Err(BundleError::Vm(0, VmError::Malformed("console"))));
    let network = |tree: &mut FdtWriter| {
        folder(tree, "networks", &["lan"], |tree, _| {
            tree.property_u32("mtu", 1500).unwrap();
            tree.property_array_u32("ports", [[0, 0, 0x0200, 1, 0, 0], [2, 4, 0x0200, 2, 0, 0]].as_flattened())
                .unwrap();
        })
    };
    assert_eq!(with(1, &network), Ok(()));
    assert_eq!(with(4, &network), wrong("network", 0, LinkError::SlotTaken { vm: 2, slot: 4 }));
    let disk = |tree: &mut FdtWriter| {
        folder(tree, "disks", &["data"], |tree, _| {
            tree.property_array_u32("client", &[1, 7]).unwrap();
            tree.property_null("scratch").unwrap();
            tree.property_u64("size", 4096).unwrap();
        })
    };
    assert_eq!(with(1, &disk), Ok(()));
    assert_eq!(with(7, &disk), wrong("disk", 0, LinkError::SlotTaken { vm: 1, slot: 7 }));
}

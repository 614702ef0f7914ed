//! Networks and their ports.

use super::*;
use crate::links::NetworkPort;

/// What becomes of networks with these ports, by network.
fn networks(mtu: u32, ports: &[&[[u32; 6]]]) -> Result<(), BundleError> {
    let names = ["lan", "other"];
    let data = connected(|tree| {
        folder(tree, "networks", &names[..ports.len()], |tree, place| {
            tree.property_u32("mtu", mtu).unwrap();
            tree.property_array_u32("ports", ports[place].as_flattened()).unwrap();
        })
    });
    Bundle::parse(&data).map(drop)
}

#[test]
fn ports_of_networks_are_read() {
    let data = connected(|tree| {
        folder(tree, "networks", &["lan"], |tree, _| {
            tree.property_u32("mtu", 9000).unwrap();
            tree.property_null("unsegmented").unwrap();
            tree.property_array_u32("ports", &[2, 31, 0x0211, 0x2233_4455, 1, 10, 0, 0, 0x0200, 1, 0, 0]).unwrap();
        })
    });
    let bundle = Bundle::parse(&data).unwrap();
    let network = bundle.networks().next().unwrap();
    assert_eq!((network.name, network.mtu, network.segmentation), ("lan", 9000, false));
    let ports: Vec<NetworkPort> = network.ports().collect();
    let first = NetworkPort { vm: 2, slot: 31, mac: [2, 0x11, 0x22, 0x33, 0x44, 0x55], bridge: true, rate: Some(10) };
    assert_eq!(ports, [first, NetworkPort { vm: 0, slot: 0, mac: [2, 0, 0, 0, 0, 1], bridge: false, rate: None }]);
    assert_eq!(bundle.networks().count(), 1);
}

#[test]
fn ports_of_networks_fit() {
    const A: [u32; 6] = [0, 0, 0x0200, 1, 0, 0];
    const B: [u32; 6] = [1, 0, 0x0200, 2, 0, 0];
    assert_eq!(networks(1500, &[&[A, B]]), Ok(()));
    for mtu in [0, 67, 65_536, u32::MAX] {
        assert_eq!(networks(mtu, &[&[A, B]]), wrong("network", 0, LinkError::Mtu(mtu)));
    }
    for (second, error) in [
        ([3, 0, 0x0200, 2, 0, 0], LinkError::NoVm(3)),
        ([1, 32, 0x0200, 2, 0, 0], LinkError::NoSlot(32)),
        ([0, 1, 0x0200, 2, 0, 0], LinkError::Same(0)),
        ([1, 0, 0x0200, 1, 0, 0], LinkError::Mac(1)),
        ([1, 0, 0x0300, 2, 0, 0], LinkError::Mac(1)),
    ] {
        assert_eq!(networks(1500, &[&[A, second]]), wrong("network", 0, error));
    }
    assert_eq!(networks(1500, &[&[A]]), wrong("network", 0, LinkError::Alone));
    let taken = LinkError::SlotTaken { vm: 0, slot: 0 };
    assert_eq!(networks(1500, &[&[A, B], &[A, [2, 0, 0x0200, 3, 0, 0]]]), wrong("network", 1, taken));
    assert_eq!(networks(1500, &[&[A, B], &[[0, 1, 0x0200, 1, 0, 0], [2, 0, 0x0200, 3, 0, 0]]]), Ok(()));
    let odd = connected(|tree| {
        folder(tree, "networks", &["lan"], |tree, _| tree.property_array_u32("ports", &[0; 7]).unwrap());
    });
    assert_eq!(Bundle::parse(&odd).map(drop), wrong("network", 0, LinkError::Malformed("ports")));
    for key in ["mtu", "ports"] {
        let data = connected(|tree| {
            folder(tree, "networks", &["lan"], |tree, _| match key {
                "mtu" => tree.property_array_u32("ports", [A, B].as_flattened()).unwrap(),
                _ => tree.property_u32("mtu", 1500).unwrap(),
            })
        });
        assert_eq!(Bundle::parse(&data).map(drop), wrong("network", 0, LinkError::Missing(key)));
    }
}

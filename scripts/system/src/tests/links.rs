//! `[[wire]]`, `[[shared-memory]]` and `[[network]]`.

use portcullis_board::Range;
use portcullis_board::device::{Device, Interrupt};
use portcullis_bundle::links::{NetworkPort, Sharer, WireEnd};
use portcullis_links::network::Mac;

use crate::Serial;

use super::{Bench, vm};

/// VMs `a`, `b` and `c`. Line 16 is the next one.
fn vms() -> String {
    ["a", "b", "c"].map(|name| vm("").replace("\"a\"", &format!("{name:?}"))).concat()
}

/// A wire of these lines; the first of them is line 20, the header line 19.
fn wire(lines: &str) -> String {
    vms() + "[[wire]]\n" + lines + "\n"
}

/// Shared memory of these lines, in the same place.
fn memory(lines: &str) -> String {
    vms() + "[[shared-memory]]\n" + lines + "\n"
}

#[test]
fn a_line_that_is_not_named_is_the_first_one_without_a_wire() {
    let text = vms()
        + r#"
wire = [
    { name = "x", from = "a", to = "b" },
    { name = "y", from = "b", to = "a", from-line = 0 },
    { name = "z", from = "c", to = "a", to-line = 7 },
    { name = "u", from = "a", to = "c" },
]
"#;
    // Keys of the manifest as a whole stand in front of its sections.
    let (sections, wires) = text.split_once("\nwire").unwrap();
    let manifest = Bench::new().parse(&format!("wire{wires}{sections}")).unwrap();
    let end = |vm, line| WireEnd { vm, line };
    let ends: Vec<_> = manifest.wires.iter().map(|wire| (wire.name.as_str(), wire.from, wire.to)).collect();
    let expected = [
        ("x", end(0, 0), end(1, 1)),
        ("y", end(1, 0), end(0, 1)),
        ("z", end(2, 0), end(0, 7)),
        ("u", end(0, 2), end(2, 1)),
    ];
    assert_eq!(ends, expected);
}

#[test]
fn memory_is_shared_in_the_order_of_the_vms() {
    let text = memory("name = \"m\"\nsize = \"3M\"\nrw = [\"c\"]\nro = [\"a\", \"b\"]\ncached = true");
    let manifest = Bench::new().parse(&text).unwrap();
    let [memory] = manifest.shared_memory.as_slice() else { panic!("there is one") };
    assert_eq!((memory.name.as_str(), memory.size, memory.cached), ("m", 3 << 20, true));
    let expected = [(0, false), (1, false), (2, true)].map(|(vm, writes)| Sharer { vm, writes });
    assert_eq!(memory.sharers, expected);
}

/// The message and the help of the only thing that is wrong.
fn wrong(text: &str) -> (String, String) {
    let report = Bench::new().parse(text).expect_err("this manifest is wrong");
    let [diagnostic] = report.diagnostics.as_slice() else { panic!("not one thing is wrong:\n{report}") };
    (diagnostic.message.clone(), diagnostic.help.clone())
}

#[test]
fn what_is_wrong_with_a_wire_is_said() {
    for (lines, message, help) in [
        ("name = \"x\"\nfrom = \"a\"", "[[wire]] without `to`", "add a line like `to = \"linux-b\"`"),
        ("name = \"x\"\nfrom = \"a\"\nto = \"d\"", "there is no VM \"d\"", "did you mean \"a\"?"),
        (
            "name = \"x\"\nfrom = \"a\"\nto = \"a\"",
            "both ends of this wire are those of \"a\"",
            "a wire leads to another VM",
        ),
        ("name = \"x\"\nfrom = \"a\"\nto = \"b\"\nto-line = 8", "there is no line 8", "lines are 0 to 7"),
        (
            "name = \"X\"\nfrom = \"a\"\nto = \"b\"",
            "the name \"X\" is wrong",
            "it is 1 to 16 characters of a-z, 0-9 and '-', the first one a letter",
        ),
    ] {
        let (said, right) = wrong(&wire(lines));
        assert_eq!(said, message);
        // The nearest name of several that are as near may be any.
        assert!(right == help || message.starts_with("there is no VM"), "{right}");
    }
    let two = |second: &str| {
        wire("name = \"x\"\nfrom = \"a\"\nto = \"b\"\nto-line = 2") + "[[wire]]\nname = \"y\"\n" + second + "\n"
    };
    let (said, _) = wrong(&two("from = \"b\"\nto = \"c\"\nfrom-line = 2"));
    assert_eq!(said, "line 2 of this VM has a wire already, that of line 23");
    let (said, _) = wrong(&two("from = \"b\"\nto = \"c\"").replace("name = \"y\"", "name = \"x\""));
    assert_eq!(said, "a second wire of the name \"x\"; the first is in line 20");
    let many: String = (0..9).map(|n| format!("[[wire]]\nname = \"w{n}\"\nfrom = \"a\"\nto = \"b\"\n")).collect();
    let report = Bench::new().parse(&(vms() + &many)).expect_err("nine are too many").to_string();
    assert!(report.contains("error: VM \"a\" has more than 8 ends of wires"), "{report}");
}

#[test]
fn what_is_wrong_with_shared_memory_is_said() {
    for (lines, message) in [
        ("name = \"m\"\nrw = [\"a\", \"b\"]", "[[shared-memory]] without `size`"),
        ("name = \"m\"\nsize = \"1K\"\nrw = [\"a\", \"b\"]", "\"1K\" cannot be shared"),
        ("name = \"m\"\nsize = \"513M\"\nrw = [\"a\", \"b\"]", "\"513M\" cannot be shared"),
        ("name = \"m\"\nsize = \"1M\"\nrw = [\"a\"]", "memory that nobody shares: two VMs at least have it"),
        ("name = \"m\"\nsize = \"1M\"\nrw = [\"a\", \"b\"]\nro = [\"b\"]", "\"b\" is named twice"),
    ] {
        assert_eq!(wrong(&memory(lines)).0, message);
    }
}

/// A network of these lines, in the same place.
fn network(lines: &str) -> String {
    vms() + "[[network]]\n" + lines + "\n"
}

#[test]
fn ports_have_addresses_and_slots_of_their_own() {
    let text = network(
        "name = \"lan\"\nvms = [\"b\", { vm = \"a\", mac = \"02:00:00:00:00:0F\", bridge = true, rate = 100 }]",
    ) + "[[network]]\nname = \"other\"\nvms = [\"a\", \"c\"]\nmtu = 9000\nsegmentation = false\n";
    let manifest = Bench::new().parse(&text).unwrap();
    let [lan, other] = manifest.networks.as_slice() else { panic!("there are two") };
    assert_eq!((lan.name.as_str(), lan.mtu, lan.segmentation), ("lan", 1500, true));
    assert_eq!((other.name.as_str(), other.mtu, other.segmentation), ("other", 9000, false));
    let derived = |network, vm| Mac::derived(network, vm).0;
    let plain = |vm, slot, mac| NetworkPort { vm, slot, mac, bridge: false, rate: None };
    let given = NetworkPort { vm: 0, slot: 0, mac: [2, 0, 0, 0, 0, 15], bridge: true, rate: Some(100) };
    assert_eq!(lan.ports, [plain(1, 0, derived("lan", "b")), given]);
    assert_eq!(other.ports, [plain(0, 1, derived("other", "a")), plain(2, 0, derived("other", "c"))]);

    // What is written is read again as it was meant.
    let bundle = crate::bundle::Bundle::new(&manifest).unwrap();
    let blob: Vec<u8> = bundle.parts().flatten().copied().collect();
    let bundle = portcullis_bundle::Bundle::parse(&blob).unwrap();
    for (read, meant) in bundle.networks().zip(&manifest.networks) {
        assert_eq!((read.name, read.mtu, read.segmentation), (meant.name.as_str(), meant.mtu, meant.segmentation));
        assert_eq!(read.ports().collect::<Vec<_>>(), meant.ports);
    }
    assert_eq!(bundle.networks().count(), 2);
}

/// What is given to a VM of the board's takes the places of transports.
#[test]
fn devices_of_the_board_are_left_their_places() {
    let device = |path: &'static str, start: u64, intid: u32| Device {
        path,
        registers: [Range::sized(start, 0x200)].into(),
        interrupts: [Interrupt { physical: intid, edge: false }].into(),
        ..Device::default()
    };
    let mut bench = Bench::new();
    // One with the interrupt of the second transport, and one that nobody is given in the page of the first eight.
    bench.board.devices = vec![device("/uart@1", 0x0b00_0000, 49), device("/net@a000000", 0x0a00_0000, 90)];
    let text = |devices: &str, networks: usize| {
        let name = "name = \"b\"";
        let given = vms().replace(name, &format!("{name}\ndevices = [{devices}]"));
        let network = |n: usize| format!("[[network]]\nname = \"n{n}\"\nvms = [\"a\", \"b\"]\n");
        given + &(0..networks).map(network).collect::<String>()
    };
    let slots = |devices: &str, networks: usize| {
        let manifest = bench.parse(&text(devices, networks)).unwrap();
        manifest.networks.iter().map(|network| [0, 1].map(|vm| network.ports[vm].slot)).collect::<Vec<_>>()
    };
    assert_eq!(slots("", 3), [[0, 0], [1, 1], [2, 2]]);
    assert_eq!(slots("\"/uart@1\"", 3), [[0, 0], [1, 2], [2, 3]]);
    assert_eq!(slots("\"/uart@1\", \"/net@a000000\"", 2), [[0, 8], [1, 9]]);
    let report = bench.parse(&text("\"/net@a000000\"", 25)).expect_err("24 are left").to_string();
    let message = "VM \"b\" has more than 24 virtio devices, and what it has in `devices` is in the place of 8 others";
    assert!(report.contains(message) && report.contains("take it out of a network"), "{report}");
}

#[test]
fn what_is_wrong_with_a_network_is_said() {
    let with = |port: &str| format!("name = \"n\"\nvms = [\"a\", {{ vm = \"b\", {port} }}]");
    for (lines, message, help) in [
        ("name = \"n\"".to_owned(), "[[network]] without `vms`", ""),
        ("name = \"n\"\nvms = [\"a\"]".to_owned(), "a network needs two VMs at least", "name another one"),
        ("name = \"n\"\nvms = [\"a\", \"a\"]".to_owned(), "\"a\" is twice at this network", "name each VM once"),
        ("name = \"n\"\nvms = [\"a\", \"b\", \"d\"]".to_owned(), "there is no VM \"d\"", ""),
        ("name = \"n\"\nvms = [\"a\", \"b\", 7]".to_owned(), "`vms` is a list of VMs, but here is a number", ""),
        ("name = \"N\"\nvms = [\"a\", \"b\"]".to_owned(), "the name \"N\" is wrong", "it is 1 to 16 characters"),
        (
            "name = \"n\"\nvms = [\"a\", \"b\"]\nmtu = 67".to_owned(),
            "an MTU of 67 bytes cannot be had",
            "it is 68 to 65535",
        ),
        (with("mac = \"03:00:00:00:00:01\""), "\"03:00:00:00:00:01\" is no address of one port", "write six bytes"),
        (with("mac = \"02:00:00:00:01\""), "\"02:00:00:00:01\" is no address of one port", "write six bytes"),
        (with("mac = \"+2:00:00:00:00:01\""), "\"+2:00:00:00:00:01\" is no address of one port", "write six bytes"),
        (with("rate = 0"), "0 frames a second cannot be had", "it is 1 to 4294967295"),
        (with("speed = 1"), "unknown key `speed`", "the keys of a port are vm, mac, bridge, rate"),
    ] {
        let report = Bench::new().parse(&network(&lines)).expect_err("this manifest is wrong");
        let first = &report.diagnostics[0];
        assert_eq!(first.message, message, "{report}");
        assert!(first.help.starts_with(help), "{}", first.help);
    }
    let double = "name = \"n\"\nvms = [{ vm = \"a\", mac = \"02:00:00:00:00:01\" }, { vm = \"b\", mac = \"02:00:00:00:00:01\" }]";
    assert_eq!(wrong(&network(double)).0, "02:00:00:00:00:01 is the address of VM \"a\" already");
    let two = network("name = \"n\"\nvms = [\"a\", \"b\"]") + "[[network]]\nname = \"n\"\nvms = [\"a\", \"b\"]\n";
    assert_eq!(wrong(&two).0, "a second network of the name \"n\"; the first is in line 20");
    let many: String = (0..33).map(|n| format!("[[network]]\nname = \"n{n}\"\nvms = [\"a\", \"b\"]\n")).collect();
    let report = Bench::new().parse(&(vms() + &many)).expect_err("33 are too many").to_string();
    assert!(report.contains("error: VM \"a\" has more than 32 virtio devices"), "{report}");
}

/// A pair of serial ports of these lines, in the same place.
fn serial(lines: &str) -> String {
    vms() + "[[serial]]\n" + lines + "\n"
}

/// A VM with serial ports has a console in its first transport, and its cards behind it.
#[test]
fn serial_ports_are_at_consoles() {
    let text = serial("name = \"uplink\"\nbetween = [\"b\", \"c\"]")
        + "[[network]]\nname = \"lan\"\nvms = [\"a\", \"b\"]\n[[serial]]\nname = \"gps-2\"\nbetween = [\"c\", \"b\"]\n";
    let manifest = Bench::new().parse(&text).unwrap();
    let serials = [("uplink", [1, 2]), ("gps-2", [2, 1])].map(|(name, vms)| Serial { name: name.to_owned(), vms });
    assert_eq!(
        (manifest.serials.as_slice(), manifest.consoles.as_slice()),
        (&serials[..], &[None, Some(0), Some(0)][..])
    );
    assert_eq!(manifest.networks[0].ports.iter().map(|port| port.slot).collect::<Vec<_>>(), [0, 1]);

    let bundle = crate::bundle::Bundle::new(&manifest).unwrap();
    let blob: Vec<u8> = bundle.parts().flatten().copied().collect();
    let bundle = portcullis_bundle::Bundle::parse(&blob).unwrap();
    let read: Vec<_> = bundle.serials().map(|serial| (serial.name, serial.vms)).collect();
    assert_eq!(read, [("uplink", [1, 2]), ("gps-2", [2, 1])]);
    assert_eq!(bundle.vms().map(|vm| vm.console).collect::<Vec<_>>(), [None, Some(0), Some(0)]);
}

/// The control VM has a console without a serial port if the manifest says so, and none otherwise; nobody else's devices move.
#[test]
fn the_control_vms_port_is_at_a_console() {
    let lan = "[[network]]\nname = \"lan\"\nvms = [\"a\", \"b\"]\n";
    let cable = "[[serial]]\nname = \"uplink\"\nbetween = [\"b\", \"c\"]\n";
    let slots = |machine: &str, links: &str| {
        let manifest = Bench::new().parse(&(format!("[machine]\n{machine}\n") + &vms() + lan + links)).unwrap();
        let bundle = crate::bundle::Bundle::new(&manifest).unwrap();
        let blob: Vec<u8> = bundle.parts().flatten().copied().collect();
        let read: Vec<_> = portcullis_bundle::Bundle::parse(&blob).unwrap().vms().map(|vm| vm.console).collect();
        assert_eq!(read, manifest.consoles);
        (read, manifest.networks[0].ports.iter().map(|port| port.slot).collect::<Vec<_>>())
    };
    let port = "control = \"b\"\ncontrol-port = true";
    assert_eq!(slots(port, ""), (vec![None, Some(0), None], vec![0, 1]));
    assert_eq!(slots(port, cable), (vec![None, Some(0), Some(0)], vec![0, 1]), "one console for both");
    for without in ["control = \"b\"", "control = \"b\"\ncontrol-port = false"] {
        assert_eq!(slots(without, ""), (vec![None; 3], vec![0, 0]));
    }
    let nobodys = "[machine]\ncontrol-port = true\n".to_owned() + &vms();
    let expected =
        ["there is no control VM that could have the port", "add control = \"...\", or leave `control-port` out"];
    assert_eq!(wrong(&nobodys), expected.map(str::to_owned).into());
    let word = "[machine]\ncontrol = \"a\"\ncontrol-port = \"yes\"\n".to_owned() + &vms();
    assert_eq!(wrong(&word).0, "`control-port` is true or false, but here is a string");
}

#[test]
fn what_is_wrong_with_a_serial_cable_is_said() {
    const NAME: &str = "it is 1 to 16 characters of a-z, 0-9 and '-', the first one a letter";
    for (lines, message, help) in [
        ("name = \"x\"", "[[serial]] without `between`", "add a line like `between = [\"linux-a\", \"linux-b\"]`"),
        ("between = [\"a\", \"b\"]", "[[serial]] without `name`", "add a line like `name = \"uplink\"`"),
        (
            "name = \"x\"\nbetween = [\"a\"]",
            "a serial cable has two ends, and here are 1",
            "name two VMs, like `between = [\"linux-a\", \"linux-b\"]`",
        ),
        (
            "name = \"x\"\nbetween = [\"a\", \"b\", \"c\"]",
            "a serial cable has two ends, and here are 3",
            "name two VMs, like `between = [\"linux-a\", \"linux-b\"]`",
        ),
        (
            "name = \"x\"\nbetween = [\"a\", \"a\"]",
            "both ends of this cable are those of \"a\"",
            "a serial cable leads to another VM: name that one",
        ),
        ("name = \"disk.x\"\nbetween = [\"a\", \"b\"]", "the name \"disk.x\" is wrong", NAME),
        ("name = \"console.a\"\nbetween = [\"a\", \"b\"]", "the name \"console.a\" is wrong", NAME),
        ("name = \"abcdefghijklmnopq\"\nbetween = [\"a\", \"b\"]", "the name \"abcdefghijklmnopq\" is wrong", NAME),
        (
            "name = \"portcullis-2\"\nbetween = [\"a\", \"b\"]",
            "the name \"portcullis-2\" is reserved for ports of the hypervisor",
            "take one that does not begin with \"portcullis\"",
        ),
        (
            "name = \"x\"\nbetween = [\"a\", \"b\"]\nspeed = 9600",
            "unknown key `speed`",
            "the keys of [[serial]] are name, between",
        ),
    ] {
        assert_eq!(wrong(&serial(lines)), (message.to_owned(), help.to_owned()));
    }
    assert_eq!(wrong(&serial("name = \"x\"\nbetween = [\"a\", \"d\"]")).0, "there is no VM \"d\"");
    let two = serial("name = \"x\"\nbetween = [\"a\", \"b\"]") + "[[serial]]\nname = \"x\"\nbetween = [\"b\", \"c\"]\n";
    assert_eq!(wrong(&two).0, "a second serial port of the name \"x\"; the first is in line 20");
    let many: String = (0..32).map(|n| format!("[[serial]]\nname = \"x{n}\"\nbetween = [\"a\", \"b\"]\n")).collect();
    let report = Bench::new().parse(&(vms() + &many)).expect_err("32 are too many").to_string();
    assert!(report.contains("error: VM \"b\" has more than 31 serial ports"), "{report}");
    // Those by which the control VM manages the machine are ports of its console as well.
    let managed = |count: usize| {
        let ports: String =
            (0..count).map(|n| format!("[[serial]]\nname = \"x{n}\"\nbetween = [\"a\", \"b\"]\n")).collect();
        Bench::new().parse(&("[machine]\ncontrol = \"a\"\n".to_owned() + &vms() + &ports))
    };
    managed(28).unwrap();
    let report = managed(29).expect_err("29 are too many").to_string();
    let complaint = "error: VM \"a\" has more than 28 serial ports besides those by which it manages the machine";
    assert!(report.contains(complaint), "{report}");
}

//! `[[network]]`: a switch with a port for each of its VMs, which sees a virtio network card.

use portcullis_abi::bundle::{MTU_DEFAULT, MTU_MAX, MTU_MIN};
use portcullis_bundle::links::NetworkPort;
use portcullis_links::network::Mac;
use toml::Spanned;

use super::diagnostic::{Diagnostics, Span};
use super::draft::Draft;
use super::section::Section;
use super::transports::Transports;
use super::{key, system, wire};

/// A network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its name.
    pub name: String,
    /// Bytes of the longest packet behind an Ethernet header.
    pub mtu: u16,
    /// Frames that are still to be cut into segments may pass.
    pub segmentation: bool,
    /// Its ports, in the manifest's order.
    pub ports: Vec<NetworkPort>,
}

/// A `[[network]]` as it stands in the manifest. What is none was missing or wrong, and that has been reported, or it is optional.
pub struct NetworkDraft {
    span: Span,
    name: Option<Spanned<String>>,
    mtu: u16,
    segmentation: bool,
    ports: Vec<PortDraft>,
}

/// A VM at a network.
struct PortDraft {
    vm: Spanned<String>,
    mac: Option<Spanned<Mac>>,
    bridge: bool,
    rate: Option<u32>,
}

impl NetworkDraft {
    /// Reads `section`; whatever is wrong inside it is reported.
    pub fn read(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Self {
        section.require("name", diagnostics);
        section.require("vms", diagnostics);
        const WHAT: &str = "a list of VMs";
        let mut ports = Vec::new();
        for item in section.list("vms", WHAT, diagnostics).iter().flat_map(|list| list.get_ref().iter()) {
            let value = item.get_ref();
            if let Some(name) = value.as_str() {
                let vm = Spanned::new(item.span(), name.to_owned());
                ports.push(PortDraft { vm, mac: None, bridge: false, rate: None });
            } else if let Some(table) = value.as_table() {
                let port = Section::new(&key::PORT, item.span(), table, diagnostics);
                ports.extend(PortDraft::read(&port, diagnostics));
            } else {
                section.wrong_type("vms", item, WHAT, diagnostics).unwrap_or_default()
            }
        }
        Self {
            span: section.span.clone(),
            name: wire::name(section, diagnostics),
            mtu: mtu(section, diagnostics),
            segmentation: section.boolean("segmentation", diagnostics).unwrap_or(true),
            ports,
        }
    }

    /// Its ports, whose VMs have the names of `vms`, and whose slots are yet to be chosen. Whatever does not fit is reported.
    fn ports(&self, vms: &[Draft], diagnostics: &mut Diagnostics<'_>) -> Vec<NetworkPort> {
        if self.ports.len() < 2 {
            let help = r#"name another one, like `vms = ["linux-a", "linux-b"]`"#;
            diagnostics.error(self.span.clone(), "a network needs two VMs at least", help);
        }
        let network = self.name.as_ref().map_or("", |name| name.get_ref());
        let mut ports: Vec<NetworkPort> = Vec::new();
        for port in &self.ports {
            let Some(vm) = system::vm_of(&port.vm, vms, diagnostics) else { continue };
            if ports.iter().any(|other| other.vm == vm) {
                let message = format!("{:?} is twice at this network", port.vm.get_ref());
                diagnostics.error(port.vm.span(), message, "name each VM once");
                continue;
            }
            let (Mac(mac), span) = match &port.mac {
                Some(mac) => (*mac.get_ref(), mac.span()),
                None => (Mac::derived(network, port.vm.get_ref()), port.vm.span()),
            };
            if let Some(other) = ports.iter().find(|other| other.mac == mac) {
                let message = format!("{} is the address of {} already", Mac(mac), vms[other.vm].title());
                diagnostics.error(span, message, "give each port an address of its own, `mac = \"02:00:00:00:00:01\"`");
            }
            ports.push(NetworkPort { vm, slot: 0, mac, bridge: port.bridge, rate: port.rate });
        }
        ports
    }
}

impl PortDraft {
    fn read(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Option<Self> {
        section.require("vm", diagnostics);
        let mac = section.string("mac", diagnostics).and_then(|text| {
            let right = parse(text.get_ref()).filter(|mac| !mac.is_multicast());
            if right.is_none() {
                let message = format!("{:?} is no address of one port", text.get_ref());
                let help = "write six bytes like \"02:00:00:00:00:01\", the first one even; or leave it out";
                diagnostics.error(text.span(), message, help);
            }
            Some(Spanned::new(text.span(), right?))
        });
        let rate = section.number("rate", diagnostics).and_then(|rate| {
            let right = u32::try_from(*rate.get_ref()).ok().filter(|rate| *rate != 0);
            if right.is_none() {
                let message = format!("{} frames a second cannot be had", rate.get_ref());
                diagnostics.error(
                    rate.span(),
                    message,
                    format!("it is 1 to {}; without it there is no limit", u32::MAX),
                );
            }
            right
        });
        let bridge = section.boolean("bridge", diagnostics).unwrap_or(false);
        Some(Self { vm: section.string("vm", diagnostics)?, mac, bridge, rate })
    }
}

/// Six bytes in hexadecimal with colons between them.
fn parse(text: &str) -> Option<Mac> {
    let byte = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_hexdigit());
        digits.then(|| u8::from_str_radix(part, 16).ok())?
    };
    let bytes: Vec<u8> = text.split(':').map(byte).collect::<Option<_>>()?;
    Some(Mac(bytes.try_into().ok()?))
}

fn mtu(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> u16 {
    let right = |bytes: u64| u16::try_from(bytes).ok().filter(|bytes| u32::from(*bytes) >= MTU_MIN);
    let Some(bytes) = section.number("mtu", diagnostics) else { return MTU_DEFAULT as u16 };
    right(*bytes.get_ref()).unwrap_or_else(|| {
        let message = format!("an MTU of {} bytes cannot be had", bytes.get_ref());
        diagnostics.error(bytes.span(), message, format!("it is {MTU_MIN} to {MTU_MAX}; without it, {MTU_DEFAULT}"));
        MTU_DEFAULT as u16
    })
}

/// The networks between `vms`, each port in the next one of `transports` of its VM. Whatever does not fit is reported.
pub fn networks(
    drafts: &[NetworkDraft],
    vms: &[Draft],
    transports: &mut Transports,
    diagnostics: &mut Diagnostics<'_>,
) -> Vec<Network> {
    wire::once("network", drafts.iter().filter_map(|draft| draft.name.as_ref()), diagnostics);
    let mut networks = Vec::new();
    for draft in drafts {
        let mut ports = draft.ports(vms, diagnostics);
        for port in &mut ports {
            let slot = transports.take(port.vm, &draft.span, "take it out of a network", diagnostics);
            port.slot = slot.unwrap_or_default();
        }
        if let Some(name) = &draft.name {
            let (name, mtu, segmentation) = (name.get_ref().clone(), draft.mtu, draft.segmentation);
            networks.push(Network { name, mtu, segmentation, ports });
        }
    }
    networks
}

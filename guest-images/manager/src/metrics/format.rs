//! The text format. Names and labels, once there, stay; times are in seconds, sizes in bytes.

use std::fmt;

use controls::report::conduit;
use controls::report::links::Counted;
use controls::report::vms::{Vm, Vms};
use portcullis_abi::manage::{CONDUITS, EXITS, PHASES, SERVICES, link_counters};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, prometheus_text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::Reading;

/// The type of the text, as HTTP names it.
pub const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// What was read, as text. A VM's counts are since its creation, a vCPU's times since its VM was started.
pub fn text(reading: Reading) -> String {
    let mut registry = Registry::with_prefix("portcullis");
    registry.register_collector(Box::new(reading));
    let mut text = String::new();
    // A String takes whatever comes.
    let _ = prometheus_text::encode(&mut text, &registry);
    text
}

/// Labels of a series with their values.
type Labels = Vec<(&'static str, String)>;

/// A metric with its series.
fn family<M: EncodeMetric>(
    encoder: &mut DescriptorEncoder,
    name: &str,
    help: &str,
    series: impl IntoIterator<Item = (Labels, M)>,
) -> fmt::Result {
    let mut series = series.into_iter().peekable();
    let Some((_, first)) = series.peek() else { return Ok(()) };
    let mut metric = encoder.encode_descriptor(name, help, None, first.metric_type())?;
    series.try_for_each(|(labels, value)| value.encode(metric.encode_family(&labels)?))
}

/// A metric of the machine as a whole.
fn single(encoder: &mut DescriptorEncoder, name: &str, help: &str, value: u64) -> fmt::Result {
    let value = ConstGauge::new(value);
    value.encode(encoder.encode_descriptor(name, help, None, value.metric_type())?)
}

impl Collector for Reading {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let encoder = &mut encoder;
        self.machine(encoder)?;
        vms(encoder, &self.vms)?;
        vcpus(encoder, &self.vms)?;
        self.calls(encoder)?;
        self.links(encoder)
    }
}

impl Reading {
    fn machine(&self, encoder: &mut DescriptorEncoder) -> fmt::Result {
        let Vms { machine, .. } = &self.vms;
        single(encoder, "cores", "Physical cores", machine.cores)?;
        single(encoder, "free_memory_bytes", "Memory that neither a VM nor the hypervisor has", machine.free)?;
        single(encoder, "vms", "VMs of the machine, whatever they do", machine.vms)
    }

    fn calls(&self, encoder: &mut DescriptorEncoder) -> fmt::Result {
        let all = || self.vms.vms.iter().zip(&self.counted).map(|(vm, (counters, _))| (vm, counters));
        let calls = all().flat_map(|(vm, counters)| {
            SERVICES.iter().zip(counters.services).flat_map(move |(service, counts)| {
                let verdicts = [("answered", false), ("answered", true), ("refused", false), ("refused", true)];
                verdicts.into_iter().zip(counts).map(move |((verdict, smc), count)| {
                    let labels = [("service", *service), ("conduit", conduit(smc)), ("verdict", verdict)];
                    (with(vm, labels), ConstCounter::new(count))
                })
            })
        });
        family(encoder, "calls", "Firmware calls of a VM since its creation, by service, conduit and verdict", calls)?;
        let forwarded = all().flat_map(|(vm, counters)| {
            let counts = CONDUITS.iter().zip(counters.forwarded);
            counts.map(move |(conduit, count)| (with(vm, [("conduit", *conduit)]), ConstCounter::new(count)))
        });
        family(encoder, "forwarded_calls", "Firmware calls of a VM that went to EL3 since its creation", forwarded)?;
        let exits = all().flat_map(|(vm, counters)| {
            let counts = EXITS.iter().zip(counters.exits);
            counts.map(move |(cause, count)| (with(vm, [("cause", *cause)]), ConstCounter::new(count)))
        });
        family(
            encoder,
            "exits",
            "Exits of a VM to the hypervisor other than by a call, since its creation, by cause",
            exits,
        )
    }

    fn links(&self, encoder: &mut DescriptorEncoder) -> fmt::Result {
        let all =
            || self.vms.vms.iter().zip(&self.counted).flat_map(|(vm, (_, ends))| ends.iter().map(move |end| (vm, end)));
        let labels =
            |vm: &Vm, end: &Counted| with(vm, [("link", end.link.name.as_str()), ("kind", end.link.kind_name())]);
        let up = all().map(|(vm, end)| (labels(vm, end), ConstGauge::new(u64::from(end.up))));
        family(encoder, "link_up", "Whether a VM's end of a link is up, or high", up)?;
        let counts = all().flat_map(|(vm, end)| {
            link_counters(end.link.kind).iter().zip(&end.counts).map(move |(name, count)| {
                let mut labels = labels(vm, end);
                labels.push(("count", (*name).to_owned()));
                (labels, ConstCounter::new(*count))
            })
        });
        family(encoder, "link_events", "What was counted at a VM's end of a link since its creation", counts)
    }
}

/// Labels of a series of a VM's.
fn with<const N: usize>(vm: &Vm, labels: [(&'static str, &str); N]) -> Labels {
    let own = [("vm", vm.name.to_string())];
    own.into_iter().chain(labels.map(|(name, value)| (name, value.to_owned()))).collect()
}

fn vms(encoder: &mut DescriptorEncoder, vms: &Vms) -> fmt::Result {
    let states = vms.vms.iter().flat_map(|vm| {
        PHASES.iter().zip(0..).map(move |(name, phase)| {
            (with(vm, [("state", *name)]), ConstGauge::new(u64::from(vm.state.phase == phase)))
        })
    });
    family(encoder, "vm_state", "1 for the state that a VM is in, 0 for the others", states)?;
    let memory = vms.vms.iter().map(|vm| (with(vm, []), ConstGauge::new(vm.state.memory)));
    family(encoder, "vm_memory_bytes", "Memory of a VM", memory)?;
    let restarts = vms.vms.iter().map(|vm| (with(vm, []), ConstCounter::new(vm.state.restarts)));
    family(encoder, "vm_restarts", "Restarts of a VM since its creation", restarts)
}

fn vcpus(encoder: &mut DescriptorEncoder, vms: &Vms) -> fmt::Result {
    let all = || vms.vms.iter().flat_map(|vm| vm.vcpus.iter().enumerate().map(move |(index, vcpu)| (vm, index, vcpu)));
    let labels =
        |vm: &Vm, index: usize, core: u64| with(vm, [("vcpu", &*index.to_string()), ("core", &*core.to_string())]);
    let seconds = |nanoseconds: u64| ConstCounter::new(nanoseconds as f64 / 1e9);
    let ran = all().map(|(vm, index, vcpu)| (labels(vm, index, vcpu.core), seconds(vcpu.ran)));
    family(encoder, "vcpu_run_seconds", "Time for which a vCPU was on its core since its VM was started", ran)?;
    let stolen = all().map(|(vm, index, vcpu)| (labels(vm, index, vcpu.core), seconds(vcpu.stolen)));
    let help = "Time for which a vCPU was ready and did not run since its VM was started";
    family(encoder, "vcpu_stolen_seconds", help, stolen)?;
    let switches = all().map(|(vm, index, vcpu)| (labels(vm, index, vcpu.core), ConstCounter::new(vcpu.switches)));
    family(encoder, "vcpu_switches", "How often a core changed over to a vCPU since its VM was started", switches)
}

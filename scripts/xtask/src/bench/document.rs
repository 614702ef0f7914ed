//! `docs/numbers.md`: prose around the tables, in lines as wide as those of the other documents.

use std::fs;

use anyhow::{Context, Result};

use super::figures::Figures;
use super::report::{self, Style, growth, ratios, table};
use super::rows::Table;
use super::{measurement, quotes, windows};
use crate::environment::Environment;

/// The most columns of a line that is no table's.
const COLUMNS: usize = 132;

/// Writes the document, and its figures wherever another one names them.
///
/// # Errors
///
/// A file cannot be written, or another document does not name a figure as `scripts/figures/quoted.toml` says.
pub fn write(environment: &Environment, figures: &Figures) -> Result<()> {
    let (path, text) = (environment.root.join("docs/numbers.md"), text(figures));
    fs::write(&path, &text).with_context(|| format!("{} cannot be written", path.display()))?;
    quotes::write(&environment.root, &text)
}

fn text(figures: &Figures) -> String {
    let parts = [beginning(figures), calls(figures), links(figures), machine(figures), ending(figures)];
    wrapped(&parts.concat())
}

/// Prose in lines of at most [`COLUMNS`]; tables and headings, of which each is a line, as they are.
fn wrapped(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in text.lines() {
        let is_prose = !line.is_empty() && !line.starts_with(['|', '#']);
        // An item of a list begins a line, and goes on below its text.
        let is_item = line.starts_with("- ");
        let indent = if is_item || line.starts_with("  ") { "  " } else { "" };
        if !is_prose {
            lines.push(line.to_owned());
        }
        for (number, word) in line.split_whitespace().filter(|_| is_prose).enumerate() {
            let begins = number == 0 && (is_item || !is_open);
            match lines.last_mut().filter(|_| !begins) {
                Some(last) if last.chars().count() + 1 + word.chars().count() <= COLUMNS => {
                    last.push(' ');
                    last.push_str(word);
                }
                Some(_) => lines.push(format!("{indent}{word}")),
                None => lines.push(word.to_owned()),
            }
        }
        is_open = is_prose;
    }
    lines.join("\n") + "\n"
}

fn beginning(figures: &Figures) -> String {
    let origin = if figures.measured_others.is_empty() {
        "The others' figures are those of `scripts/figures/rows.toml`, which says where they come from; `scripts/bench --peers` measures \
        them again: the floor, Xen, KVM, KVM's links and what QEMU saves."
    } else {
        "The figures of the floor, Xen, KVM, KVM's links and what QEMU saves were measured in the same run (`--peers`)."
    };
    format!(
        "# Numbers

Made by `scripts/bench --peers --docs` with QEMU {qemu}; the same figures are in `target/bench.json`. `scripts/test bench` fails when one of
them grows beyond its bound in `scripts/figures/bounds.toml`.

- The measure is instructions, counted by a plugin of QEMU's TCG, on a {cpu} with `-icount shift=0,sleep=off`.
- The guests are `guest-images/bench`: the same bytes run under every hypervisor, with the MMU off.
- *At most* is what was asked for. A dash: there is no such thing, or the answer is \"not supported\". `!`: more than was asked for.
- {origin} Not measured again are Bao and hvisor, which have no package, and what the others take to boot, their sizes and memory: those of
  Bao 738e3dc, hvisor 6a3fb78, Debian's Xen 4.20 and Linux 6.12, from `scripts/figures/rows.toml`.

",
        qemu = figures.qemu,
        cpu = measurement::CPU,
    )
}

fn calls(figures: &Figures) -> String {
    let table = |which| table(Style::Markdown, which, figures);
    format!(
        "## Firmware calls

Instructions for one call and its return, the HVC or SMC itself included. By SMC at most {extra} more are allowed. A row is the largest of its
calls. TRNG and the row of its version are measured on QEMU's `max`, which has RNDRRS. KVM VHE runs on cortex-a55, as {cpu} has no VHE;
Bao and hvisor ran on cortex-a72. The floor is a vector of two instructions, and for what enters Rust one that saves all registers.

{calls}
Two mitigations have no row, as no machine of QEMU's executes them ([threat-model.md](threat-model.md)). Their length in the image is known
(`scripts/test \"image predictor\"`): an exit with CLRBHB has it and an ISB, 2 instructions, where a loop of 8 is 28, so PSCI_VERSION
would take 29 and all else 26 less than the rows of the loop. A vCPU that comes onto a shared core by CFP RCTX has two of them, each
with its operand, and a DSB: 7, and the look whether this core needs it.

How many times as many instructions the others take:

{call_ratios}
## What else a guest feels

Instructions outside the guest per operation; for interrupts until the guest's handler is done, for those between two vCPUs on both sides
together. The floor is a program at EL2 that passes physical interrupts on and accesses to the GIC through, without a check; for what EL2
copies, one copy by `ldp` and `stp` of general registers, 64 bytes a turn.

{operations}
{operation_ratios}
",
        extra = super::rows::SMC_EXTRA,
        cpu = measurement::CPU,
        calls = table(Table::Call),
        call_ratios = ratios(Style::Markdown, Table::Call, figures),
        operations = table(Table::Operation),
        operation_ratios = ratios(Style::Markdown, Table::Operation, figures),
    )
}

/// How often KVM entered guests for a unit of work, by virtio-pci and virtio-mmio: as measured now, else as known.
fn exits(figures: &Figures, work: &str, known: [f64; 2]) -> String {
    let measured = |key: &str| figures.measured_others.get(key)?.get(work)?.kinds.get("eret").copied();
    let [pci, mmio] =
        [("kvm-pci", known[0]), ("kvm-mmio", known[1])].map(|(key, known)| measured(key).unwrap_or(known));
    format!("{pci:.1} and {mmio:.1}")
}

fn links(figures: &Figures) -> String {
    let table = |which| table(Style::Markdown, which, figures);
    format!(
        "## Links between VMs

Instructions outside the guests, both sides together, for a unit of work between two VMs, each alone on its core: from what the driver of
the one does until the other's has taken it and acknowledged its interrupt. *Exits* are entries of guests for a unit, and *guests* is what
their drivers execute for it themselves. The floor is one copy of what is passed by `ldp` and `stp` of general registers, 64 bytes a turn.

- The drivers are those of `guest-images/bench`, with the queues and the transport of the crate `virtio-drivers`. They do what Linux' do
  that the hypervisor sees: one notification a frame, an interrupt for what was sent and one for what came, each with a read of the status
  and an acknowledgement, buffers of a page to receive into, which frames that are still to be cut are spread over.
- KVM's are those of Linux 6.12 at both ends, with vhost-net and a bridge, on one cortex-a72, nVHE. Its guests are entered, by virtio-pci
  and virtio-mmio, {frame} times for a lone frame, {frames} in bursts, {stream} for 64 KiB, {ping} for a ping. Whole systems run there, so that
  its figures differ by some percent from one build of the guests to another.
- Disks are read by one request at a time, of pages that lie apart, until it is given back and its interrupt acknowledged. Ours is an image
  in the bundle; KVM's is a file in RAM behind QEMU's virtio-blk, by {image} exits for 4 KiB.
- The served disk's server answers as servers do: what it says of a reply, then the data, 32 KiB at a time, as Linux writes. Nothing of the
  kind was measured with KVM, nor a serial cable.
- A register is asked for by one request of REGISTER_GET ([abi.md](abi.md)), until the answer's interrupt is acknowledged.
- An event is that of a VM which the control VM pauses by a call: from that call, with the stop of the VM and the line about it, to the
  vector of the event's interrupt; and beside its cause, which is what the same pause takes more, on both cores, if somebody reads events
  than if nobody does, until the interrupt is pending.

[links.md](links.md) says what makes them short.

{links}
{link_ratios}
## A VM that moves

Instructions outside the guests while the control VM saves a paused VM into its own memory, and restores it from there, by calls with a
buffer of 32 KiB ([moving.md](moving.md)). They have the checksum. What the control VM itself does comes on top: 30 instructions a call
where it only calls, and whatever it takes to write the stream somewhere.

- The floor is one copy of a MiB by `ldp` and `stp`, without a checksum.
- QEMU's is what all but the guest executes while QEMU 10 with KVM, on the Linux of the links, saves a paused VM of 256 MiB to a pipe that
  drops it (`migrate` to `exec:cat>/dev/null`), divided by 256. 240 MiB of it are no zeros, and two empty banks of flash of 64 MiB go with it. It
  writes to a file descriptor, which ours does in the control VM.

{moving}
{moving_ratios}
",
        frame = exits(figures, "frame", [4.5, 8.5]),
        frames = exits(figures, "frames", [0.2, 0.4]),
        stream = exits(figures, "stream", [0.9, 1.8]),
        ping = exits(figures, "ping", [7.0, 15.0]),
        image = exits(figures, "image", [3.0, 5.0]),
        links = table(Table::Link),
        link_ratios = ratios(Style::Markdown, Table::Link, figures),
        moving = table(Table::Moving),
        moving_ratios = ratios(Style::Markdown, Table::Moving, figures),
    )
}

fn machine(figures: &Figures) -> String {
    let table = |which| table(Style::Markdown, which, figures);
    format!(
        "## Sharing a core

Switches are counted from the last instruction of one guest to the first one of another VM's, floating point included. A
guest that an interrupt wakes has had its timer's by then. While a guest runs that has its core to itself, or whose
neighbours wait or are off, there is nothing of the hypervisor's at all.

{sharing}
A window of 2 ms begins where a frame of 10 ms does, beside a neighbour on the same core that does its worst in the half
millisecond before: how many of {looked} windows began late, by how much, and what the shortest one was short of. A
nanosecond is an instruction.

{windows}
## Boot and size

Boot is with one VM of one vCPU and a guest of 8,600 bytes, and counts from reset, QEMU's own boot loader included. What
depends on how much RAM the VM has is a row of its own: before a VM's first start all of that is written back out of the caches and
set to zero, on the VM's own core, so that VMs of several cores do so at the same time. A start after that, here of a VM with 2
MiB, writes the RAM back and leaves it as it is.

What the others take to boot is as measured on a cortex-a72, KVM with VHE on a neoverse-n1: those runs were not made again on the core of
the other rows.

{machine}
{sections}
",
        sharing = table(Table::Sharing),
        looked = windows::COUNT,
        windows = report::windows(Style::Markdown, &figures.windows),
        machine = table(Table::Machine),
        sections = report::sections(Style::Markdown, &figures.sections),
    )
}

fn ending(figures: &Figures) -> String {
    format!(
        "## Seeds in a guest's device tree

A guest that is offered TRNG finds a KASLR seed and an RNG seed, on a board with entropy: five words of the source's are drawn at
each start, a word with each piece of the images, and 84 bytes are more in the tree. What that takes is the row
of the start's seeds, measured on QEMU's `max`, which has RNDRRS: the other figures above are those of a {cpu}, which has no entropy, so none of it is in
them. What it brings about in Linux is in none of them either: with a seed it keeps the kernel's page table apart (KPTI) on cores
without FEAT_E0PD, Cortex-A53 and A72 among them. Each system call and each interrupt of a program then goes by a page of its own and
writes TTBR1_EL1 and VBAR_EL1 twice, with a barrier behind each, and the kernel's translations are no global ones any more, so that
more of them are walked for.

A system call of Debian's 6.12, the mean of 200,000 that read or write a byte, takes 751 ns without and 1571 ns with KPTI, on a
cortex-a53 and on a cortex-a72. That is the guest's own clock on a machine whose time is its instructions, a nanosecond each, so it is a
count of them, and of all that the machine executed meanwhile: `scripts/test \"qemu kpti\"` prints it anew (`syscall-check: ... each=` in
`target/test`) and holds that KPTI is on in the one kernel and off in the other, not the figures, which are the kernel's. No plugin has
counted it, and what of the difference is the entries' own code was not looked into. How often the guest comes to EL2 is the same. What
the walks take is not in it.
`kaslr = false` leaves both out.

## Growth

Instructions per call while 1, 2, 4 and 8 VMs call at once, 4 vCPUs of one VM, with filter ranges, of a VM with a watchdog that
may suspend, on a machine with a GICv2 (all other figures are those of a GICv3), while two other VMs call that share another
core, and of a VM that shares its core with one that calls. Each machine has eight cores in multi-threaded TCG, of which as many
run at the same time as the host has cores. Counted for each VM's first core, the slowest one's median.

{growth}
## What these numbers do not show

An instruction is not a cycle. An exception entry, an `eret`, a write to a system register or a barrier counts as one
instruction here and takes tens to hundreds of cycles on silicon; a load counts as one and may miss every cache. There is
no cache, no TLB and no memory bus in these counts, no GIC that answers late, no cost of a barrier while another core
writes, and no EL3 firmware: under QEMU an SMC of EL2 is one instruction. The ratio of two hypervisors on hardware is
smaller than the ratio of their counts where both are short. And a longer path may do more: KVM and Xen schedule and
preempt on return; Bao, hvisor and a vCPU of ours that is pinned to its core do not.
",
        cpu = measurement::CPU,
        growth = growth(Style::Markdown, figures),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::flatten::Sections;

    #[test]
    fn prose_is_wrapped_and_nothing_else() {
        let long = "word ".repeat(30);
        let text = format!("# {long}\n\n{long}\nmore\n\n- {long}\n  more\n- item\n\n| {long} |\n");
        let wrapped = wrapped(&text);
        let lines: Vec<&str> = wrapped.lines().collect();
        assert_eq!(lines[0], format!("# {long}"));
        assert_eq!(lines[3], format!("{}more", "word ".repeat(4)));
        assert_eq!(lines[6], format!("  {}more", "word ".repeat(4)).as_str());
        assert_eq!(lines[7..], ["- item", "", format!("| {long} |").as_str()]);
    }

    /// Without the tables: only what is written here.
    #[test]
    fn no_line_is_longer_than_those_of_other_documents() {
        let figures = Figures {
            qemu: "10.0.2".to_owned(),
            measurements: BTreeMap::new(),
            rows: Vec::new(),
            sections: Sections::default(),
            windows: Vec::new(),
            growth: Vec::new(),
            growth_figures: Vec::new(),
            measured_others: BTreeMap::new(),
        };
        let text = text(&figures);
        assert!(text.contains("4.5 and 8.5 times for a lone frame"), "{text}");
        for line in text.lines().filter(|line| !line.starts_with('|')) {
            assert!(line.chars().count() <= COLUMNS && !line.ends_with(' '), "{line}");
        }
    }
}

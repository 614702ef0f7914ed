//! `[[shared-memory]]`: RAM that several VMs have.

use portcullis_abi::bundle::{PAGE, SHARED_MEMORY_MAX, SHARED_SIZE_MAX};
use portcullis_bundle::links::Sharer;
use toml::Spanned;

use super::diagnostic::{Diagnostics, Span};
use super::draft::Draft;
use super::piece::Piece;
use super::section::Section;
use super::{memory, system, wire};

/// Memory that VMs share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedMemory {
    /// Its name.
    pub name: String,
    /// Bytes beside the state pages.
    pub size: u64,
    /// The guests have it in their caches.
    pub cached: bool,
    /// Who shares it, in the order of the VMs in the manifest, which is that of their state pages.
    pub sharers: Vec<Sharer>,
}

/// A `[[shared-memory]]` as it stands in the manifest. What is none was missing or wrong, and that has been reported, or it is
/// optional.
pub struct SharedMemoryDraft {
    span: Span,
    name: Option<Spanned<String>>,
    size: Option<u64>,
    cached: bool,
    /// Names of VMs, and whether each may write.
    vms: Vec<(Spanned<String>, bool)>,
}

impl SharedMemoryDraft {
    /// Reads `section`; whatever is wrong inside it is reported.
    pub fn read(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Self {
        section.require("name", diagnostics);
        section.require("size", diagnostics);
        let size = section.string("size", diagnostics).and_then(|size| {
            let bytes = memory::parse(size.get_ref()).filter(|bytes| (1..=SHARED_SIZE_MAX).contains(bytes));
            if bytes.is_none() {
                let message = format!("{:?} cannot be shared", size.get_ref());
                let help = format!("write it like \"1M\"; {} is the most", memory::form(SHARED_SIZE_MAX));
                diagnostics.error(size.span(), message, help);
            }
            bytes
        });
        let mut vms = Vec::new();
        for (key, writes) in [("rw", true), ("ro", false)] {
            let names = section.strings(key, diagnostics);
            for name in names.iter().flat_map(|names| names.get_ref()) {
                vms.push((Spanned::new(name.span(), (*name.get_ref()).to_owned()), writes));
            }
        }
        let cached = section.boolean("cached", diagnostics).unwrap_or(false);
        Self { span: section.span.clone(), name: wire::name(section, diagnostics), size, cached, vms }
    }

    /// Where it names the VM `name`.
    pub fn place_of(&self, name: &str) -> Option<Span> {
        self.vms.iter().find(|(vm, _)| vm.get_ref() == name).map(|(vm, _)| vm.span())
    }

    /// The RAM that it takes: what is shared, and a state page for each VM.
    pub fn piece(&self) -> Option<Piece> {
        let (name, size) = (self.name.as_ref()?.get_ref(), self.size?);
        let states = PAGE * self.vms.len() as u64;
        Some(Piece::new(self.span.clone(), format!("shared memory {name:?}"), size.saturating_add(states)))
    }

    /// Resolves the names of VMs.
    fn finish(&self, vms: &[Draft], diagnostics: &mut Diagnostics<'_>) -> Option<SharedMemory> {
        let mut sharers: Vec<Sharer> = Vec::new();
        for (name, writes) in &self.vms {
            let vm = system::vm_of(name, vms, diagnostics)?;
            if sharers.iter().any(|sharer| sharer.vm == vm) {
                let message = format!("{:?} is named twice", name.get_ref());
                diagnostics.error(name.span(), message, "name each VM once, under `rw` or under `ro`");
            }
            sharers.push(Sharer { vm, writes: *writes });
        }
        if sharers.len() < 2 {
            let message = "memory that nobody shares: two VMs at least have it";
            diagnostics.error(
                self.span.clone(),
                message,
                r#"name them like `rw = ["linux-a"]` and `ro = ["linux-b"]`"#,
            );
        }
        sharers.sort_by_key(|sharer| sharer.vm);
        let name = self.name.as_ref()?.get_ref().clone();
        Some(SharedMemory { name, size: self.size?, cached: self.cached, sharers })
    }
}

/// The memory that `vms` share. Whatever does not fit is reported.
pub fn shared_memory(
    drafts: &[SharedMemoryDraft],
    vms: &[Draft],
    diagnostics: &mut Diagnostics<'_>,
) -> Vec<SharedMemory> {
    wire::once("shared memory", drafts.iter().filter_map(|draft| draft.name.as_ref()), diagnostics);
    if let Some(draft) = drafts.get(SHARED_MEMORY_MAX) {
        let help = format!("keep {SHARED_MEMORY_MAX} of them at the most");
        diagnostics.error(draft.span.clone(), format!("{} are too many", drafts.len()), help);
    }
    drafts.iter().filter_map(|draft| draft.finish(vms, diagnostics)).collect()
}

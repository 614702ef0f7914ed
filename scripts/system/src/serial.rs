//! `[[serial]]`: a pair of serial ports, one at each of two VMs.

use portcullis_abi::bundle::RESERVED_PORTS;
use toml::Spanned;

use super::diagnostic::{Diagnostics, Span};
use super::draft::Draft;
use super::section::Section;
use super::{system, wire};

/// A pair of serial ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serial {
    /// Its name, which both ports have.
    pub name: String,
    /// Numbers of the VMs of both ends.
    pub vms: [usize; 2],
}

/// A `[[serial]]` as it stands in the manifest. What is none was missing or wrong, and that has been reported.
pub struct SerialDraft {
    span: Span,
    name: Option<Spanned<String>>,
    between: Option<[Spanned<String>; 2]>,
}

impl SerialDraft {
    /// Reads `section`; whatever is wrong inside it is reported.
    pub fn read(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Self {
        section.require("name", diagnostics);
        section.require("between", diagnostics);
        let between = section.strings("between", diagnostics).and_then(|list| {
            let names: Vec<_> =
                list.get_ref().iter().map(|name| Spanned::new(name.span(), (*name.get_ref()).to_owned())).collect();
            let count = names.len();
            let two = names.try_into().ok();
            if two.is_none() {
                let message = format!("a serial cable has two ends, and here are {count}");
                diagnostics.error(list.span(), message, r#"name two VMs, like `between = ["linux-a", "linux-b"]`"#);
            }
            two
        });
        Self { span: section.span.clone(), name: name(section, diagnostics), between }
    }

    /// Resolves the names of VMs.
    fn finish(&self, vms: &[Draft], diagnostics: &mut Diagnostics<'_>) -> Option<Serial> {
        let [first, second] = self.between.as_ref()?;
        let ends = [first, second].map(|end| system::vm_of(end, vms, diagnostics));
        let [Some(a), Some(b)] = ends else { return None };
        if a == b {
            let message = format!("both ends of this cable are those of {:?}", second.get_ref());
            diagnostics.error(second.span(), message, "a serial cable leads to another VM: name that one");
        }
        Some(Serial { name: self.name.as_ref()?.get_ref().clone(), vms: [a, b] })
    }
}

/// The name of a pair, which is none of those that EL2's own ports have.
fn name(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Option<Spanned<String>> {
    let name = wire::name(section, diagnostics)?;
    if name.get_ref().starts_with(RESERVED_PORTS) {
        let message = format!("the name {:?} is reserved for ports of the hypervisor", name.get_ref());
        diagnostics.error(name.span(), message, format!("take one that does not begin with {RESERVED_PORTS:?}"));
        return None;
    }
    Some(name)
}

/// The pairs between `vms`, each with its place. Whatever does not fit is reported.
pub fn serials(drafts: &[SerialDraft], vms: &[Draft], diagnostics: &mut Diagnostics<'_>) -> Vec<(Serial, Span)> {
    wire::once("serial port", drafts.iter().filter_map(|draft| draft.name.as_ref()), diagnostics);
    let finish = |draft: &SerialDraft| Some((draft.finish(vms, diagnostics)?, draft.span.clone()));
    drafts.iter().filter_map(finish).collect()
}

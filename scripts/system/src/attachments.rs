//! What keeps a movable VM where it is: nobody is there to save it, or it has something that others have, too.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::{Diagnostics, Span};
use super::draft::Draft;

/// What connects VMs and cannot be saved, and the keys of it under which VMs are named.
const LINKS: [&str; 1] = ["shared-memory"];
const NAMES: [&str; 2] = ["rw", "ro"];

/// Reports movable VMs that nobody can save, and those that are connected with others by what is in `document`.
pub fn check(
    control: Option<&Spanned<String>>,
    drafts: &[Draft],
    document: &DeTable<'_>,
    diagnostics: &mut Diagnostics<'_>,
) {
    for draft in drafts {
        let Some((movable, name)) = draft.movable.as_ref().zip(draft.name.as_ref()) else { continue };
        let name = name.get_ref();
        match control {
            None => {
                let help = "add [machine] with control = \"...\", or leave `movable` out";
                diagnostics.error(
                    movable.clone(),
                    format!("{} is movable, and nobody can save it", draft.title()),
                    help,
                );
            }
            Some(control) if control.get_ref() == name => {
                let line = diagnostics.line(&control.span());
                let message =
                    format!("{} is the control VM, by line {line}, which nobody else can save", draft.title());
                diagnostics.error(movable.clone(), message, "leave `movable` out");
            }
            Some(_) => {}
        }
        for kind in LINKS {
            let sections = document.get(kind).and_then(|list| list.get_ref().as_array());
            let named = sections.into_iter().flat_map(|list| list.iter()).find_map(|section| naming(section, name));
            if let Some(place) = named {
                let line = diagnostics.line(&place);
                let message = format!("{} is at a [[{kind}]], by line {line}, and cannot be saved", draft.title());
                let help = "leave one out: what others write cannot be saved";
                diagnostics.error(movable.clone(), message, help);
            }
        }
    }
}

/// Where a section of what connects VMs names the VM `name`.
fn naming(section: &Spanned<DeValue<'_>>, name: &str) -> Option<Span> {
    let values = NAMES.iter().filter_map(|key| section.get_ref().as_table()?.get(*key));
    values.into_iter().find_map(|value| match value.get_ref() {
        DeValue::String(text) => (text == name).then(|| value.span()),
        DeValue::Array(list) => list.iter().find_map(|item| match item.get_ref().as_str() {
            Some(text) => (text == name).then(|| item.span()),
            None => naming(item, name),
        }),
        _ => None,
    })
}

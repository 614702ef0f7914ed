//! What keeps a movable VM where it is: nobody is there to save it, or it has something that others have, too.

use toml::Spanned;

use super::diagnostic::Diagnostics;
use super::draft::Draft;
use super::shared_memory::SharedMemoryDraft;

/// Reports movable VMs that nobody can save, and those that share memory with others, which cannot be saved.
pub fn check(
    control: Option<&Spanned<String>>,
    drafts: &[Draft],
    shared: &[SharedMemoryDraft],
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
        if let Some(place) = shared.iter().find_map(|shared| shared.place_of(name)) {
            let line = diagnostics.line(&place);
            let message = format!("{} is at a [[shared-memory]], by line {line}, and cannot be saved", draft.title());
            diagnostics.error(movable.clone(), message, "leave one out: what others write cannot be saved");
        }
    }
}

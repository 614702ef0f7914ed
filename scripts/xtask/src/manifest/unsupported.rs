//! What the manifest's format has but this version has no machinery for yet. Each is an error here rather than silently
//! without effect; each has one function, which goes when its machinery comes.

use super::Board;
use super::diagnostic::Diagnostics;
use super::draft::Draft;
use super::key::enumeration;

/// Reports every use of what is not supported yet.
pub fn check(drafts: &[Draft], board: &Board, diagnostics: &mut Diagnostics<'_>) {
    shared_cores(drafts, board, diagnostics);
}

fn shared_cores(drafts: &[Draft], board: &Board, diagnostics: &mut Diagnostics<'_>) {
    let used = |core: u64| drafts.iter().flat_map(|draft| &draft.cores).any(|other| *other.get_ref() == core);
    for (index, draft) in drafts.iter().enumerate() {
        for core in draft.cores.iter().filter(|core| *core.get_ref() < u64::from(board.cores)) {
            let earlier = drafts[..index].iter().find_map(|draft| {
                let same = draft.cores.iter().find(|other| other.get_ref() == core.get_ref())?;
                Some((draft, same))
            });
            let Some((owner, place)) = earlier else { continue };
            let message = format!(
                "core {} is already used by {} in line {}; sharing a core between VMs is not supported yet",
                core.get_ref(),
                owner.title(),
                diagnostics.line(&place.span()),
            );
            let free: Vec<String> =
                (0..u64::from(board.cores)).filter(|core| !used(*core)).map(|core| core.to_string()).collect();
            let help = match free.is_empty() {
                true => format!("{} has no free core: give it fewer VMs, or a VM fewer cores", board.name),
                false => format!("the free cores of {} are {}", board.name, enumeration(&free)),
            };
            diagnostics.error(core.span(), message, help);
        }
    }
}

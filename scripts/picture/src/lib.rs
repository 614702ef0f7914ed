//! A picture of a system, drawn from its manifest: the VMs with their firmware's services and devices, the links between them, the
//! cores with their windows, the board's RAM. The same manifest always makes the same picture, to the byte.
#![forbid(unsafe_code)]

mod cores;
mod links;
mod page;
mod palette;
mod ram;
mod vms;

use system::{Board, Manifest};

use page::{Page, Weight};

/// The picture of a system on a board, as an SVG file. `title` stands above it.
pub fn draw(title: &str, manifest: &Manifest, board: &Board) -> String {
    let columns = vms::Columns::of(manifest);
    let mut page = Page::new(columns.width());
    page.text([page::MARGIN, 34.0], (18.0, Weight::Bold), palette::INK, title);
    page.text([page::MARGIN, 54.0], (12.0, Weight::Plain), palette::FAINT, &board_line(manifest, board));
    let below_vms = vms::draw(&mut page, 72.0, manifest, &columns);
    let below_links = links::draw(&mut page, below_vms, manifest, &columns);
    let below_cores = cores::draw(&mut page, below_links + 26.0, manifest, board);
    let end = ram::draw(&mut page, below_cores + 26.0, manifest, board);
    page.finish(end + page::MARGIN)
}

fn board_line(manifest: &Manifest, board: &Board) -> String {
    let plural = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let cores = plural(board.cores as usize, "core");
    let vms = plural(manifest.vms.len(), "VM");
    let control =
        manifest.control.as_ref().map_or_else(|| "nobody manages them".to_owned(), |vm| format!("{vm} manages them"));
    format!("{}: {cores}, {} of RAM; {vms}, {control}", board.name, ram::size(board.memory))
}

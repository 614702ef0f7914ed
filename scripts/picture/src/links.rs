//! What connects the VMs: a rail for each link below them, and from each VM at it a line down to it.

use system::{Manifest, Source};

use crate::page::{Anchor, MARGIN, Page, Weight};
use crate::vms::Columns;
use crate::{palette, ram};

/// From rail to rail.
const PITCH: f64 = 40.0;

/// A link as it is drawn.
struct Link {
    title: String,
    colour: &'static str,
    /// Numbers of VMs, and what is said of each at the rail.
    ends: Vec<(usize, String)>,
    /// The first end is where it comes from.
    directed: bool,
}

/// Draws them below the VMs, which end at `top`. Where they end.
pub fn draw(page: &mut Page, top: f64, manifest: &Manifest, columns: &Columns) -> f64 {
    let links = all(manifest);
    // Each line has a place of its own below its VM, the outer ones for the upper rails.
    let mut total = vec![0_usize; manifest.vms.len()];
    for (vm, _) in links.iter().flat_map(|link| &link.ends) {
        total[*vm] += 1;
    }
    let mut used = vec![0_usize; manifest.vms.len()];
    let mut drawn = Vec::new();
    for (row, link) in links.iter().enumerate() {
        let y = top + 44.0 + PITCH * row as f64;
        let mut points = Vec::new();
        for (vm, about) in &link.ends {
            let (left, width) = columns.place(*vm);
            used[*vm] += 1;
            let step = width / (total[*vm] + 1) as f64;
            points.push((left + step * used[*vm] as f64, about.as_str()));
        }
        drawn.push((link, y, points));
    }
    for (link, y, points) in &drawn {
        let (start, end) = span(points);
        page.line([start, *y, end, *y], link.colour, 3.0);
    }
    // Over the rails that it passes a line is set off from them.
    for (link, y, points) in &drawn {
        for (x, _) in points {
            page.line([*x, top + 3.0, *x, *y - 4.0], palette::PAPER, 7.0);
            page.line([*x, top, *x, *y], link.colour, 2.0);
        }
    }
    for (link, y, points) in &drawn {
        for (index, (x, about)) in points.iter().enumerate() {
            let fill = if link.directed && index == 0 { palette::PAPER } else { link.colour };
            page.dot(*x, *y, 4.5, fill, link.colour);
            page.halo(Anchor::Start, [*x + 8.0, *y + 14.0], (10.0, Weight::Plain), palette::FAINT, about);
        }
        page.halo(Anchor::Middle, [clear_of(points), *y - 7.0], (11.0, Weight::Bold), link.colour, &link.title);
    }
    top + if links.is_empty() { 0.0 } else { 30.0 + PITCH * links.len() as f64 }
}

/// Where a title has most room: in the middle of the widest gap between two of its points.
fn clear_of(points: &[(f64, &str)]) -> f64 {
    let mut places: Vec<f64> = points.iter().map(|(x, _)| *x).collect();
    places.sort_by(f64::total_cmp);
    let gaps = places.windows(2).filter_map(|pair| Some((pair.last()? - pair.first()?, *pair.first()?)));
    let widest = gaps.max_by(|a, b| a.0.total_cmp(&b.0));
    widest.map_or_else(|| span(points).0 + 60.0, |(gap, start)| start + gap / 2.0)
}

/// From the first point to the last; a link with one end has a rail as well.
fn span(points: &[(f64, &str)]) -> (f64, f64) {
    let start = points.iter().map(|(x, _)| *x).fold(f64::INFINITY, f64::min);
    let end = points.iter().map(|(x, _)| *x).fold(MARGIN, f64::max);
    if end - start < 1.0 { (start, end + 60.0) } else { (start, end) }
}

fn all(manifest: &Manifest) -> Vec<Link> {
    let mut links = Vec::new();
    for network in &manifest.networks {
        let ends = network.ports.iter().map(|port| {
            let [a, b, c, d, e, f] = port.mac;
            let bridge = if port.bridge { " bridges" } else { "" };
            (port.vm, format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}{bridge}"))
        });
        let title = format!("network {}", network.name);
        links.push(Link { title, colour: palette::NETWORK, ends: ends.collect(), directed: false });
    }
    for serial in &manifest.serials {
        let ends = serial.vms.map(|vm| (vm, String::new())).into();
        links.push(Link { title: format!("serial {}", serial.name), colour: palette::SERIAL, ends, directed: false });
    }
    for disk in &manifest.disks {
        let (what, mut ends) = match &disk.source {
            Source::Image(image) => (format!("image {}", image.name().unwrap_or_default()), Vec::new()),
            Source::Scratch(size) => (format!("{} of RAM", ram::size(*size)), Vec::new()),
            Source::Served(served) => (ram::size(served.size), vec![(served.server, "serves it".to_owned())]),
        };
        let directed = !ends.is_empty();
        ends.push((disk.vm, if directed { "has it".to_owned() } else { String::new() }));
        links.push(Link { title: format!("disk {}, {what}", disk.name), colour: palette::DISK, ends, directed });
    }
    for wire in &manifest.wires {
        let ends = vec![
            (wire.from.vm, format!("line {}, drives it", wire.from.line)),
            (wire.to.vm, format!("line {}", wire.to.line)),
        ];
        links.push(Link { title: format!("wire {}", wire.name), colour: palette::WIRE, ends, directed: true });
    }
    for memory in &manifest.shared_memory {
        let ends = memory.sharers.iter();
        let ends = ends.map(|sharer| (sharer.vm, if sharer.writes { "reads, writes" } else { "reads" }.to_owned()));
        let title = format!("shared memory {}, {}", memory.name, ram::size(memory.size));
        links.push(Link { title, colour: palette::MEMORY, ends: ends.collect(), directed: false });
    }
    links
}

//! Draws what is shown: the VMs above, what was counted of the selected one below, and the keys in the last line. On 80 x 24 all
//! of it is there; with less, what is lowest is cut.

use controls::number::Bytes;
use controls::report::vms::{Vm, doing};
use portcullis_abi::manage::{CONDUITS, EXITS, PHASE_FAILED, PHASE_RUNNING, SERVICES, link_counters};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Paragraph, Row, Table, TableState, Wrap};

use super::keys;
use super::rates::Interval;
use super::view::{Page, View};

/// Rows below the VMs: a title, a heading, and a cause of exits each.
const DETAIL: u16 = 2 + EXITS.len() as u16;
/// Rows of a screen that has both pages.
const TALL: u16 = 36;

/// Draws it.
pub fn draw(frame: &mut Frame, view: &View) {
    let area = frame.area();
    let [top, vms, detail, bottom] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(vms_height(view, area)),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(area);
    title(frame, view, top);
    if view.help() {
        let [_, help, _] =
            Layout::vertical([Constraint::Length(2), Constraint::Min(0), Constraint::Length(2)]).areas(area);
        frame.render_widget(Text::from_iter(keys::help()), help);
    } else {
        draw_vms(frame, view, vms);
        draw_detail(frame, view, detail);
    }
    let line = view.line().unwrap_or_else(|| {
        let other = if view.page() == Page::Calls { "links" } else { "calls" };
        format!("s start p pause r resume S stop R restart C recreate  Tab {other}  ? help  q quit")
    });
    frame.render_widget(Line::styled(line, Style::new().add_modifier(Modifier::REVERSED)), bottom);
}

/// Rows for the VMs with their heading: all that the counts of one leave.
fn vms_height(view: &View, area: Rect) -> u16 {
    let wanted = u16::try_from(view.now().vms.vms.len()).unwrap_or(u16::MAX).saturating_add(2);
    wanted.min(area.height.saturating_sub(DETAIL + 2)).max(3)
}

fn title(frame: &mut Frame, view: &View, area: Rect) {
    let vms = &view.now().vms;
    let running = vms.vms.iter().filter(|vm| vm.state.phase == PHASE_RUNNING).count();
    let (count, cores, free) = (vms.vms.len(), vms.machine.cores, Bytes(vms.machine.free));
    let per = if view.totals() { "counts since creation" } else { "counts per second" };
    let text = format!("portcullis top: {count} VMs, {running} running, {cores} cores, {free} free; {per}");
    frame.render_widget(Line::styled(text, Style::new().add_modifier(Modifier::BOLD)), area);
}

fn heading<const N: usize>(names: [&'static str; N]) -> Row<'static> {
    Row::new(
        names.map(
            |name| if name.starts_with(' ') { Text::from(name.trim_start()).right_aligned() } else { name.into() },
        ),
    )
    .style(Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED))
}

/// A number, at the right of its column.
fn right(text: String) -> Text<'static> {
    Text::from(text).right_aligned()
}

fn draw_vms(frame: &mut Frame, view: &View, area: Rect) {
    let interval = view.interval();
    let rows = view.now().vms.vms.iter().map(|vm| {
        let before = view.before(vm);
        let share = |time: fn(&Vm) -> u64| share(interval, before.map(time), time(vm), vm);
        let state = vm.state;
        let style = if state.phase == PHASE_FAILED { Style::new().add_modifier(Modifier::BOLD) } else { Style::new() };
        Row::new([
            right(vm.number.to_string()),
            Text::from(vm.name.to_string()),
            Text::from(doing(&state).to_string()),
            right(format!("{}/{}", state.live.count_ones(), state.vcpus)),
            right(share(|vm| vm.vcpus.iter().map(|vcpu| vcpu.ran).sum())),
            right(share(|vm| vm.vcpus.iter().map(|vcpu| vcpu.stolen).sum())),
            right(format!("{} MiB", state.memory >> 20)),
            right(state.restarts.to_string()),
        ])
        .style(style)
    });
    let widths = [2, 16, 19, 5, 7, 7, 9, 8].map(Constraint::Length);
    let table = Table::new(rows, widths)
        .header(heading(["VM", "name", "state", " vCPUs", " run", " stolen", " memory", " restarts"]))
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let mut state = TableState::new().with_selected(usize::try_from(view.selected()).ok());
    frame.render_stateful_widget(table, area, &mut state);
}

/// Which part of the time between two looks was added to a time of all its vCPUs'.
fn share(interval: Option<Interval>, before: Option<u64>, now: u64, vm: &Vm) -> String {
    share_of(interval, before, now, vm, vm.vcpus.len())
}

/// The same of so many of them.
fn share_of(interval: Option<Interval>, before: Option<u64>, now: u64, vm: &Vm, vcpus: usize) -> String {
    if vm.state.phase != PHASE_RUNNING {
        return "-".to_owned();
    }
    let share = interval.zip(before).and_then(|(interval, before)| interval.share(before, now, vcpus));
    share.map_or_else(|| "-".to_owned(), |share| format!("{share:.1}%"))
}

fn draw_detail(frame: &mut Frame, view: &View, area: Rect) {
    let Some(vm) = view.vm() else { return };
    let [title, rest] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    let text = match vm.failure {
        Some(failure) => format!("{} failed: {failure}", vm.name),
        None => format!("{}:", vm.name),
    };
    frame.render_widget(Line::styled(text, Style::new().add_modifier(Modifier::BOLD)), title);
    if frame.area().height >= TALL {
        let [above, below] = Layout::vertical([Constraint::Length(DETAIL), Constraint::Min(0)]).areas(rest);
        draw_calls(frame, view, vm, above);
        draw_links(frame, view, below);
    } else if view.page() == Page::Calls {
        draw_calls(frame, view, vm, rest);
    } else {
        draw_links(frame, view, rest);
    }
}

fn draw_calls(frame: &mut Frame, view: &View, vm: &Vm, area: Rect) {
    let [vcpus, calls, exits] =
        Layout::horizontal([Constraint::Length(33), Constraint::Length(29), Constraint::Length(18)]).areas(area);
    draw_vcpus(frame, view, vm, vcpus);
    let (Some(now), before) = view.detail() else { return };
    let (now, before) = (&now.counters, before.map(|before| &before.counters));
    let count = |of: &dyn Fn(&controls::report::counters::Counters) -> u64| count(view, before.map(of), of(now));
    let services = SERVICES.iter().enumerate().map(|(index, name)| {
        let sum = |groups: [usize; 2]| {
            count(&|counters| {
                let row = counters.services.get(index);
                groups.iter().filter_map(|group| row?.get(*group)).sum()
            })
        };
        Row::new([Text::from(*name), right(sum([0, 1])), right(sum([2, 3]))])
    });
    let forwarded = CONDUITS.iter().enumerate().map(|(index, name)| {
        let forwarded = count(&|counters| counters.forwarded.get(index).copied().unwrap_or_default());
        Row::new([Text::from(format!("to EL3, {name}")), right(forwarded), Text::default()])
    });
    let table = Table::new(services.chain(forwarded), [11, 7, 7].map(Constraint::Length))
        .header(heading(["calls", " allowed", " refused"]));
    frame.render_widget(table, calls);
    let causes = EXITS.iter().enumerate().map(|(index, name)| {
        let exits = count(&|counters| counters.exits.get(index).copied().unwrap_or_default());
        Row::new([Text::from(*name), right(exits)])
    });
    let table = Table::new(causes, [11, 6].map(Constraint::Length)).header(heading(["exits", ""]));
    frame.render_widget(table, exits);
}

/// A count since creation, or per second.
fn count(view: &View, before: Option<u64>, now: u64) -> String {
    if view.totals() {
        return short(now);
    }
    let rate = view.interval().zip(before).and_then(|(interval, before)| interval.rate(before, now));
    rate.map_or_else(|| "-".to_owned(), |rate| short(rate.round() as u64))
}

/// A number in six characters at the most.
fn short(number: u64) -> String {
    let units = [(1_000_000_000_000_000_000, 'E'), (1_000_000_000_000_000, 'P'), (1_000_000_000_000, 'T')];
    let units = units.into_iter().chain([(1_000_000_000, 'G'), (1_000_000, 'M')]);
    let unit = units.into_iter().find(|(size, _)| number >= *size);
    unit.map_or_else(
        || number.to_string(),
        |(size, letter)| format!("{}.{}{letter}", number / size, number % size * 10 / size),
    )
}

fn draw_vcpus(frame: &mut Frame, view: &View, vm: &Vm, area: Rect) {
    let interval = view.interval();
    let before = view.before(vm);
    let rows = vm.vcpus.iter().enumerate().map(|(index, vcpu)| {
        let before = before.and_then(|before| before.vcpus.get(index));
        let [ran, stolen] = [(before.map(|vcpu| vcpu.ran), vcpu.ran), (before.map(|vcpu| vcpu.stolen), vcpu.stolen)]
            .map(|(before, now)| share_of(interval, before, now, vm, 1));
        Row::new([
            right(index.to_string()),
            right(vcpu.core.to_string()),
            Text::from(vcpu.activity_name()),
            right(ran),
            right(stolen),
        ])
    });
    let widths = [4, 4, 8, 6, 6].map(Constraint::Length);
    frame.render_widget(Table::new(rows, widths).header(heading(["vCPU", "core", "state", " run", " stolen"])), area);
}

fn draw_links(frame: &mut Frame, view: &View, area: Rect) {
    let (Some(now), before) = view.detail() else { return };
    if now.links.is_empty() {
        frame.render_widget(Paragraph::new("It has no links."), area);
        return;
    }
    let mut lines = Vec::new();
    for (index, end) in now.links.iter().enumerate() {
        let before = before.and_then(|before| before.links.get(index)).filter(|before| before.link == end.link);
        let names = link_counters(end.link.kind);
        let counts = names.iter().zip(&end.counts).enumerate().map(|(number, (name, now))| {
            let before = before.and_then(|before| before.counts.get(number)).copied();
            format!("{name} {}", count(view, before, *now))
        });
        let counts = counts.collect::<Vec<_>>().join(", ");
        lines.push(Line::from(format!("{} {}, {}: {counts}", end.link.kind_name(), end.link.name, end.state_name())));
    }
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: true }), area);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_in_their_columns() {
        for (number, text) in
            [(0, "0"), (999_999, "999999"), (1_000_000, "1.0M"), (999_999_999, "999.9M"), (12_345_678_901, "12.3G")]
        {
            assert_eq!(short(number), text);
        }
        for digits in 0..20 {
            assert!(short(9 * 10_u64.pow(digits).min(u64::MAX / 9)).len() <= 6);
        }
    }
}

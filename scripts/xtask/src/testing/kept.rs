//! Whether a VM's RAM keeps out of what UEFI firmware keeps, by the memory map that its shell has shown.

use portcullis_board::Range;

/// What the shell calls memory that stays the firmware's.
const KEPT: [&str; 5] = ["Reserved", "RT_Code", "RT_Data", "ACPI_NVS", "MMIO"];
/// What the hypervisor says of a VM whose RAM is where it sees it.
const PLACE: &str = "its RAM is at 0x";

/// What is wrong with the place of the RAM of `vm`, which has `size` bytes: by the hypervisor's line of it, and by the map.
pub fn overlapped(vm: &str, size: u64, lines: &[String]) -> Option<String> {
    let kept: Vec<Range> = lines.iter().filter_map(|line| kept(line)).collect();
    if kept.len() < 2 {
        return Some("no memory map is shown, or the firmware keeps nothing of it".to_owned());
    }
    let start = format!("portcullis: warning: {vm}: ");
    let place = lines.iter().filter(|line| line.starts_with(&start)).find_map(|line| line.split_once(PLACE));
    let Some(place) = place.and_then(|(_, place)| u64::from_str_radix(place, 16).ok()) else {
        return Some(format!("no line tells where the RAM of {vm} is"));
    };
    let ram = Range::sized(place, size);
    // Without the map it would be at the very end of the RAM, where the firmware is: that it is not shows that the map is kept to.
    let taken = kept.iter().find(|range| range.overlaps(&ram));
    taken.map(|range| format!("the RAM of {vm}, {ram:x?}, has something of what the firmware keeps, {range:x?}"))
}

/// The range of a line of the map that tells of memory which stays the firmware's.
fn kept(line: &str) -> Option<Range> {
    let (kind, rest) = line.split_once(' ')?;
    let (start, rest) = rest.trim_start().split_once('-')?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    let last = number(rest.split(' ').next()?)?;
    let range = Range { start: number(start)?, end: last.checked_add(1)? };
    KEPT.contains(&kind).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(place: &str) -> Vec<String> {
        [
            "Type       Start            End              # Pages          Attributes",
            "Available  0000000048000000-00000000BE8EAFFF 00000000000768EB 0000000000000008",
            "RT_Code    00000000BFE20000-00000000BFEAFFFF 0000000000000090 8000000000000008",
            "RT_Data    00000000BFEC0000-00000000BFFDFFFF 0000000000000120 8000000000000008",
            "  RT_Code   :            592 Pages (2,424,832 Bytes)",
            place,
        ]
        .map(str::to_owned)
        .to_vec()
    }

    #[test]
    fn ram_that_the_firmware_keeps_is_seen() {
        let said = |at: &str| lines(&format!("portcullis: warning: a: trust-dma: all memory; its RAM is at 0x{at}"));
        assert_eq!(overlapped("a", 0x40_0000, &said("bec00000")), None);
        assert!(overlapped("a", 0x40_0000, &said("bfc00000")).unwrap().contains("keeps"));
        assert!(overlapped("b", 0x40_0000, &said("bec00000")).unwrap().contains("no line"));
        assert!(overlapped("a", 0x40_0000, &said("bec00000")[5..]).unwrap().contains("no memory map"));
    }
}

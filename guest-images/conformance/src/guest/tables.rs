//! Changes of this program's translation tables: other views of the guest's addresses, and tables that lie nowhere.

use core::arch::asm;

/// Descriptor bits of a block of device memory that EL0 and EL1 read and write, and nobody executes.
const DEVICE_FOR_ALL: u64 = 0b01 | 1 << 6 | 1 << 10 | 0b11 << 8 | 0b11 << 53;
/// Descriptor bits of a table.
const TABLE: u64 = 0b11;
/// Bytes that an entry of the first table covers.
const GIB: u64 = 1 << 30;

/// Bytes of one table.
#[repr(C, align(4096))]
struct Table([u64; 512]);

/// Tables of TTBR1_EL1, each leading to the next.
static mut CHAIN: [Table; 3] = [const { Table([0; 512]) }; 3];

/// Tables of levels 2 and 3 of TTBR0_EL1.
static mut PAIR: [Table; 2] = [const { Table([0; 512]) }; 2];

/// Makes GiB `gib` of the lower addresses, which nothing of this program lies in, a view of the guest's first GiB that EL0 may
/// use. Returns the address at which it starts.
pub fn show_devices_to_all(gib: u64) -> u64 {
    replace(gib, DEVICE_FOR_ALL)
}

/// Makes GiB `gib` of the lower addresses, which nothing of this program lies in, one whose walk reads its descriptor of level 2 in
/// the page at `nowhere`. Returns the address at which it starts.
pub fn hide(gib: u64, nowhere: u64) -> u64 {
    replace(gib, nowhere | TABLE)
}

/// Replaces an entry of the first table, which other vCPUs may be using.
fn replace(gib: u64, descriptor: u64) -> u64 {
    let first: *mut u64;
    // SAFETY: reads where the first table is.
    unsafe { asm!("mrs {}, ttbr0_el1", out(reg) first, options(nomem, nostack)) };
    // SAFETY: the table has 512 entries and is writable; nothing of this program is behind this one. It is broken before it is made
    // anew.
    unsafe {
        let entry = first.add(gib as usize % 512);
        entry.write_volatile(0);
        forget();
        entry.write_volatile(descriptor);
        asm!("dsb ishst", "isb", options(nostack));
    }
    gib * GIB
}

/// Makes the first two pages of GiB `gib` of the lower addresses, which nothing of this program lies in, a view of the two pages at
/// `pages`, of which the second is guarded: a branch into it has to come to a BTI. Returns the address at which it starts.
pub fn show_guarded(gib: u64, pages: u64) -> u64 {
    /// Descriptor bits of a page of normal memory that EL1 reads, writes and executes, as those of this program's own.
    const PAGE: u64 = 0b11 | 1 << 2 | 0b11 << 8 | 1 << 10;
    /// Descriptor bit of a guarded page (FEAT_BTI).
    const GUARDED: u64 = 1 << 50;
    let tables = &raw mut PAIR;
    let [second, third] = [0, 1].map(|n| tables as u64 + n * 4096);
    let first: *mut u64;
    // SAFETY: reads where the first table is.
    unsafe { asm!("mrs {}, ttbr0_el1", out(reg) first, options(nomem, nostack)) };
    // SAFETY: each table has 512 entries; nothing that is in use is behind this one of the first. The others are complete before
    // that leads to them.
    unsafe {
        (third as *mut u64).write_volatile(pages | PAGE);
        (third as *mut u64).add(1).write_volatile((pages + 4096) | PAGE | GUARDED);
        (second as *mut u64).write_volatile(third | TABLE);
        forget();
        first.add(gib as usize % 512).write_volatile(second | TABLE);
        asm!("dsb ishst", "isb", options(nostack));
    }
    gib * GIB
}

/// Makes upper addresses ones whose walk finds tables down to `level` and reads that level's descriptor at `nowhere`. Returns
/// such an address.
pub fn lead_nowhere(level: usize, nowhere: u64) -> u64 {
    /// TCR_EL1 for the upper half: 48 bits, granule of 4 KiB, cacheable walks, as the lower half has them.
    const UPPER: u64 = 16 << 16 | 1 << 24 | 1 << 26 | 0b11 << 28 | 0b10 << 30;
    const UPPER_MASK: u64 = 0xffff << 16;
    let chain = &raw mut CHAIN;
    let tables = [0, 1, 2].map(|n| chain as u64 + n * 4096);
    for (n, table) in tables.into_iter().enumerate() {
        let next = tables.get(n + 1).copied().filter(|_| n + 1 < level).unwrap_or(nowhere);
        // SAFETY: only the walks of the upper half read these tables, and it is not in use yet.
        unsafe { (table as *mut u64).add(index(n)).write_volatile(next | TABLE) };
    }
    let first = if level == 0 { nowhere } else { tables[0] };
    // SAFETY: this program uses no upper addresses.
    unsafe {
        asm!("dsb ishst", "msr ttbr1_el1, {}", in(reg) first, options(nostack));
        let control: u64;
        asm!("mrs {}, tcr_el1", out(reg) control, options(nomem, nostack));
        asm!("msr tcr_el1, {}", "isb", in(reg) control & !UPPER_MASK | UPPER, options(nostack));
        forget();
    }
    (0..4).fold(0xffff << 48, |address, n| address | (index(n) as u64) << (39 - 9 * n))
}

/// The entry of level `level` that is used: another one of each, so that no two are taken for each other.
const fn index(level: usize) -> usize {
    7 + 40 * level
}

/// Forgets all translations, on every vCPU.
fn forget() {
    // SAFETY: TLB maintenance.
    unsafe { asm!("dsb ishst", "tlbi vmalle1is", "dsb ish", "isb", options(nostack)) };
}

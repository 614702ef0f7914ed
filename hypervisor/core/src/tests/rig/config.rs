//! VMs of a test as a bundle describes them.

use portcullis_bundle::{Cores, Settings, VmConfig};

/// Bytes of RAM of each VM.
pub const MEMORY: u64 = 2 << 20;

/// The settings of a VM as [`vm`] makes it: it starts by itself, and both conduits are open.
pub const SETTINGS: Settings = Settings {
    autostart: true,
    audit: false,
    stop_on_fault: false,
    restart_limit: 0,
    conduits: 3,
    machine: 0,
    trust_dma: false,
    rtc: None,
    suspend: false,
    movable: false,
    kaslr: true,
    watchdog: 0,
};

/// A VM as a bundle describes it, with the cores given, that starts by itself.
pub fn vm(name: &'static str, cores: &[u32]) -> VmConfig<'static> {
    VmConfig {
        name,
        memory: MEMORY,
        cores: Cores::of(cores).unwrap(),
        slices: Default::default(),
        cmdline: "",
        settings: SETTINGS,
        devices: Default::default(),
        implementations: Default::default(),
        cpu: None,
        soc: None,
        firmware: None,
        kernel: &[0x14; 4096],
        initrd: None,
        dtb: None,
        wish: Default::default(),
        console: None,
        tree_room: 0x4000,
        flash: None,
    }
}

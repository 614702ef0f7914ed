//! What goes to the boot partition of a Raspberry Pi 4's card, beside the board's own firmware: `docs/rpi4.md`.

/// Name of the hypervisor's image on the card.
pub const IMAGE: &str = "portcullis.img";
/// Name of the bundle.
pub const BUNDLE: &str = "bundle.img";
/// Where it goes: far behind the image, and below where the firmware puts the device tree.
pub const BUNDLE_ADDRESS: u64 = 0x800_0000;
/// Name of the configuration.
pub const CONFIGURATION: &str = "config.txt";

/// The firmware's configuration (Raspberry Pi documentation, "config.txt").
pub fn configuration() -> String {
    format!(
        "\
# Portcullis on a Raspberry Pi 4. Goes to the card's boot partition, beside start4.elf, fixup4.dat and
# bcm2711-rpi-4-b.dtb of Raspberry Pi's firmware, and overlays/disable-bt.dtbo.

arm_64bit=1
kernel={IMAGE}
kernel_address={:#x}
# The bundle, which the firmware names in the device tree. Not 'followkernel': that is behind the file, and the hypervisor
# takes more memory than its file has bytes.
initramfs {BUNDLE} {BUNDLE_ADDRESS:#x}

# Interrupts go to the GIC-400, not to the older controller.
enable_gic=1
# The console: the PL011 on GPIO 14 and 15, pins 8 and 10, at 115200 baud. Without the overlay these are the mini UART's,
# which works too.
enable_uart=1
dtoverlay=disable-bt
# Nobody reads the ATAGs.
disable_commandline_tags=1

# With TF-A below the hypervisor: copy Debian's /usr/lib/arm-trusted-firmware/rpi4/bl31.bin (package
# arm-trusted-firmware) to the card, and take the # off the next line. Without it the firmware's own stub starts
# the cores, and there is nobody to forward calls to.
#armstub=bl31.bin
",
        super::IMAGE
    )
}

/// The same for a Raspberry Pi 5, whose firmware is in its EEPROM, TF-A included.
pub fn configuration_of_pi_5() -> String {
    format!(
        "\
# Portcullis on a Raspberry Pi 5. Goes to the card's boot partition, beside bcm2712-rpi-5-b.dtb of Raspberry Pi's firmware.

arm_64bit=1
# The firmware looks for a system that says it is made for this board; this one is none of theirs.
os_check=0
kernel={IMAGE}
# The bundle, which the firmware names in the device tree.
initramfs {BUNDLE} {BUNDLE_ADDRESS:#x}

# The console: the PL011 of the debug connector between the HDMI sockets, at 115200 baud.
enable_uart=1
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_names_the_files() {
        let text = configuration();
        for line in
            ["kernel=portcullis.img", "kernel_address=0x80000", "initramfs bundle.img 0x8000000", "#armstub=bl31.bin"]
        {
            assert!(text.lines().any(|other| other == line), "{line}");
        }
        let five = configuration_of_pi_5();
        for line in ["os_check=0", "kernel=portcullis.img", "initramfs bundle.img 0x8000000", "enable_uart=1"] {
            assert!(five.lines().any(|other| other == line), "{line}");
        }
        let text = text + &five;
        // The firmware reads no more than 98 characters of a line.
        assert!(text.lines().all(|line| line.starts_with('#') || line.len() <= 98));
    }
}

//! The properties of one node that matter here, gathered in one pass, and the decoding of their values.

use portcullis_tree::Property;

use crate::driver::Layout;

/// Values of a node's properties (Devicetree Specification, chapter 2, and the bindings of the single devices).
#[derive(Clone, Copy, Default)]
pub struct Properties<'a> {
    pub address_cells: Option<u32>,
    pub size_cells: Option<u32>,
    pub interrupt_cells: Option<u32>,
    pub redistributor_regions: Option<u32>,
    pub redistributor_stride: Option<u64>,
    pub clock_frequency: Option<u32>,
    pub clocks: Option<u32>,
    pub compatible: &'a [u8],
    pub release_address: Option<u64>,
    pub device_type: &'a [u8],
    pub enable_method: &'a [u8],
    pub interrupt_names: &'a [u8],
    pub interrupt_parent: Option<u32>,
    pub interrupts: &'a [u8],
    pub interrupts_extended: &'a [u8],
    pub layout: Layout,
    pub initrd_start: Option<u64>,
    pub initrd_end: Option<u64>,
    pub method: &'a [u8],
    pub phandle: Option<u32>,
    pub ranges: Option<&'a [u8]>,
    pub reg: Option<&'a [u8]>,
    pub is_disabled: bool,
    pub stdout_path: &'a [u8],
}

impl<'a> Properties<'a> {
    /// Notes a property. A number of the wrong length counts as absent.
    pub fn set(&mut self, property: &Property<'a>) {
        let value = property.value;
        // Compared one after the other, hence what nearly every node has comes first.
        match property.name() {
            b"reg" => self.reg = Some(value),
            b"compatible" => self.compatible = value,
            b"interrupts" => self.interrupts = value,
            b"dma-coherent" => {}
            b"phandle" => self.phandle = cell(value),
            b"status" => self.is_disabled = is_disabled(value),
            b"#address-cells" => self.address_cells = cell(value),
            b"#interrupt-cells" => self.interrupt_cells = cell(value),
            b"#redistributor-regions" => self.redistributor_regions = cell(value),
            b"#size-cells" => self.size_cells = cell(value),
            b"clock-frequency" => self.clock_frequency = cell(value),
            b"clocks" => self.clocks = value.first_chunk().map(|first| u32::from_be_bytes(*first)),
            b"cpu-release-addr" => self.release_address = number(value),
            b"device_type" => self.device_type = value,
            b"enable-method" => self.enable_method = value,
            b"interrupt-names" => self.interrupt_names = value,
            b"interrupt-parent" => self.interrupt_parent = cell(value),
            b"linux,initrd-end" => self.initrd_end = number(value),
            b"linux,initrd-start" => self.initrd_start = number(value),
            b"method" => self.method = value,
            b"ranges" => self.ranges = Some(value),
            b"reg-io-width" => self.layout.width = cell(value),
            b"reg-shift" => self.layout.shift = cell(value),
            b"redistributor-stride" => self.redistributor_stride = number(value),
            b"stdout-path" => self.stdout_path = value,
            b"interrupts-extended" => self.interrupts_extended = value,
            _ => {}
        }
    }
}

/// Whether this value of `status` says that there is no device.
pub fn is_disabled(status: &[u8]) -> bool {
    !matches!(status, b"okay\0" | b"ok\0")
}

/// The strings of a string list.
pub fn strings(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.strip_suffix(b"\0").into_iter().flat_map(|list| list.split(|byte| *byte == 0))
}

/// A value of one cell.
pub fn cell(value: &[u8]) -> Option<u32> {
    value.try_into().ok().map(u32::from_be_bytes)
}

/// A value of one or two cells.
pub fn number(value: &[u8]) -> Option<u64> {
    match value.len() {
        4 => cell(value).map(u64::from),
        8 => value.try_into().ok().map(u64::from_be_bytes),
        _ => None,
    }
}

/// Takes `cells` cells off the front of `value` as one number; none if there are fewer, or more than fit into 64 bits.
pub fn take(value: &mut &[u8], cells: u32) -> Option<u64> {
    let (front, rest) = value.split_at_checked((cells as usize).checked_mul(4)?)?;
    *value = rest;
    if front.is_empty() { Some(0) } else { number(front) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn string_lists() {
        assert_eq!(strings(b"a\0bc\0").collect::<Vec<_>>(), [&b"a"[..], b"bc"]);
        assert_eq!(strings(b"a").count() + strings(b"").count(), 0);
    }

    #[test]
    fn numbers_of_every_width() {
        assert_eq!(number(&[0, 0, 1, 2]), Some(0x102));
        assert_eq!(number(&[0, 0, 0, 1, 0, 0, 0, 2]), Some(0x1_0000_0002));
        assert_eq!(number(&[1, 2]), None);
        let mut value = &[0, 0, 0, 5, 0, 0, 0, 6][..];
        assert_eq!((take(&mut value, 1), take(&mut value, 0), take(&mut value, 1)), (Some(5), Some(0), Some(6)));
        assert_eq!((take(&mut value, 1), take(&mut value, u32::MAX)), (None, None));
    }
}

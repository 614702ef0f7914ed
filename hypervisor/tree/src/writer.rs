//! The writer. Names are written as often as they are used: looking for one that is there already costs more
//! instructions than the bytes are worth.

use alloc::vec::Vec;

use super::{BEGIN_NODE, END, END_NODE, HEADER_SIZE, LAST_COMPATIBLE_VERSION, MAGIC, PROPERTY, VERSION};

/// Bytes of an empty memory reservation block.
const RESERVATIONS_SIZE: usize = 16;

/// A blob that is being written. Nodes are to be ended as often as they are begun, and a node's properties come before
/// its child nodes.
pub struct Writer {
    /// Header, memory reservations and structure.
    blob: Vec<u8>,
    strings: Vec<u8>,
}

impl Writer {
    /// An empty blob with room for `capacity` bytes of structure; it grows beyond that.
    pub fn new(capacity: usize) -> Self {
        let mut blob = Vec::with_capacity(capacity.saturating_add(HEADER_SIZE + RESERVATIONS_SIZE));
        blob.resize(HEADER_SIZE + RESERVATIONS_SIZE, 0);
        Self { blob, strings: Vec::with_capacity(capacity / 4) }
    }

    /// Begins a node; the root's name is empty.
    pub fn begin(&mut self, name: &str) {
        self.word(BEGIN_NODE);
        self.blob.extend_from_slice(name.as_bytes());
        self.blob.push(0);
        self.align();
    }

    /// Ends the node that was begun last.
    pub fn end(&mut self) {
        self.word(END_NODE);
    }

    /// Writes a property.
    pub fn bytes(&mut self, name: &str, value: &[u8]) {
        self.property(name, value.len());
        self.blob.extend_from_slice(value);
        self.align();
    }

    /// Writes a property that is a string.
    pub fn string(&mut self, name: &str, value: &str) {
        self.property(name, value.len().saturating_add(1));
        self.blob.extend_from_slice(value.as_bytes());
        self.blob.push(0);
        self.align();
    }

    /// Writes a property of 32-bit cells.
    pub fn cells(&mut self, name: &str, cells: &[u32]) {
        self.property(name, size_of_val(cells));
        cells.iter().for_each(|cell| self.word(*cell));
    }

    /// Writes a property of 64-bit numbers, two cells each.
    pub fn numbers(&mut self, name: &str, numbers: &[u64]) {
        self.property(name, size_of_val(numbers));
        numbers.iter().for_each(|number| self.blob.extend_from_slice(&number.to_be_bytes()));
    }

    /// Bytes so far, header included.
    pub const fn len(&self) -> usize {
        self.blob.len().saturating_add(self.strings.len())
    }

    /// Whether nothing was written yet.
    pub const fn is_empty(&self) -> bool {
        self.strings.is_empty()
    }

    /// The finished blob.
    pub fn finish(mut self) -> Vec<u8> {
        self.word(END);
        let structure = HEADER_SIZE + RESERVATIONS_SIZE;
        let strings = self.blob.len();
        self.blob.append(&mut self.strings);
        let header = [
            MAGIC,
            word(self.blob.len()),
            word(structure),
            word(strings),
            word(HEADER_SIZE),
            VERSION,
            LAST_COMPATIBLE_VERSION,
            0,
            word(self.blob.len().saturating_sub(strings)),
            word(strings.saturating_sub(structure)),
        ];
        for (bytes, field) in self.blob.as_chunks_mut::<4>().0.iter_mut().zip(header) {
            *bytes = field.to_be_bytes();
        }
        self.blob
    }

    fn property(&mut self, name: &str, length: usize) {
        self.word(PROPERTY);
        self.word(word(length));
        self.word(word(self.strings.len()));
        self.strings.extend_from_slice(name.as_bytes());
        self.strings.push(0);
    }

    fn word(&mut self, word: u32) {
        self.blob.extend_from_slice(&word.to_be_bytes());
    }

    fn align(&mut self) {
        while !self.blob.len().is_multiple_of(4) {
            self.blob.push(0);
        }
    }
}

/// A length as the format holds it. What is written here is far from the limit.
fn word(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use dtoolkit::fdt::Fdt;

    use super::*;

    #[test]
    fn another_reader_reads_what_is_written() {
        let mut writer = Writer::new(0);
        writer.begin("");
        writer.bytes("empty", b"");
        writer.string("text", "abc");
        writer.begin("child@1");
        writer.cells("cells", &[1, 0xfeed]);
        writer.numbers("numbers", &[2]);
        writer.string("text", "de");
        writer.end();
        writer.begin("next");
        writer.end();
        writer.end();
        let expected = "/dts-v1/;\n\n/ {\n    empty;\n    text = \"abc\";\n\n    child@1 {\n        cells = <0x01 0xfeed>;\n        \
                        numbers = <0x00 0x02>;\n        text = \"de\";\n    };\n\n    next {\n    };\n};\n";
        assert_eq!(Fdt::new(&writer.finish()).unwrap().to_string(), expected);
    }
}

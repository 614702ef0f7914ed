//! Kinds of files that are no kernels, though people hand them over as such. As raw binaries they would fail without a word
//! of what is wrong.

/// A file that is no kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// What it is, as in "it is ...".
    pub what: &'static str,
    /// What to do.
    pub help: &'static str,
}

/// A kind of file: where its mark is, the mark, and the file.
struct Form(usize, &'static [u8], Foreign);

impl Form {
    const fn new(offset: usize, mark: &'static [u8], what: &'static str, help: &'static str) -> Self {
        Self(offset, mark, Foreign { what, help })
    }
}

/// The kinds that a mark at a fixed place tells.
static FORMS: [Form; 30] = [
    Form::new(0, b"\x1f\x8b\x08", "compressed with gzip", "unpack it with `gunzip` and name the result"),
    Form::new(0, b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it with `unzstd` and name the result"),
    Form::new(0, b"\xfd7zXZ\0", "compressed with xz", "unpack it with `unxz` and name the result"),
    Form::new(0, b"BZh", "compressed with bzip2", "unpack it with `bunzip2` and name the result"),
    Form::new(0, b"\x02\x21\x4c\x18", "compressed with lz4", "unpack it with `unlz4` and name the result"),
    Form::new(0, b"\x04\x22\x4d\x18", "compressed with lz4", "unpack it with `unlz4` and name the result"),
    Form::new(0, b"\x89LZO\0\r\n\x1a\n", "compressed with LZO", "unpack it with `lzop -d` and name the result"),
    Form::new(0, b"LZIP", "compressed with lzip", "unpack it with `lzip -d` and name the result"),
    Form::new(0, b"PK\x03\x04", "a zip archive", "unpack it with `unzip` and name the kernel in it"),
    Form::new(0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it and name the kernel in it"),
    Form::new(257, b"ustar", "a tar archive", "unpack it with `tar -x` and name the kernel in it"),
    Form::new(0, b"!<arch>\ndebian", "a Debian package", "unpack it with `dpkg-deb -x` and name the kernel in it"),
    Form::new(0, b"!<arch>\n", "an archive of object files", "name the kernel's `Image`"),
    Form::new(0, b"\xed\xab\xee\xdb", "an RPM package", "unpack it with `rpm2cpio` and name the kernel in it"),
    Form::new(0, b"070701", "an initial RAM disk", "name it as `initrd`, and the kernel as `image`"),
    Form::new(0, b"070702", "an initial RAM disk", "name it as `initrd`, and the kernel as `image`"),
    Form::new(
        0,
        b"\x7fELF",
        "an ELF file",
        "make a raw binary of it with `objcopy -O binary`, or name the kernel's `Image`",
    ),
    Form::new(0x24, b"\x18\x28\x6f\x01", "a kernel for 32-bit Arm", "name a kernel for arm64"),
    Form::new(0x202, b"HdrS", "a kernel for x86", "name a kernel for arm64"),
    Form::new(0x38, b"RSC\x05", "a kernel for RISC-V", "name a kernel for arm64"),
    Form::new(4, b"zimg", "a compressed kernel for EFI", "name the `Image` of a kernel built without CONFIG_EFI_ZBOOT"),
    Form::new(0, b"#!/", "a script", "name the kernel's `Image`, or a raw binary"),
    Form::new(0, b"\x27\x05\x19\x56", "an image for U-Boot", "name the kernel's `Image` from which it was made"),
    Form::new(0, b"\xd0\x0d\xfe\xed", "a device tree or a FIT image", "name the kernel's `Image`"),
    Form::new(0, b"ANDROID!", "an Android boot image", "unpack it with `unpack_bootimg` and name the kernel in it"),
    Form::new(0, b"VNDRBOOT", "an Android boot image", "unpack it with `unpack_bootimg` and name the kernel in it"),
    Form::new(0, b"PORTCULL", "a bundle of this hypervisor's", "name the kernel of one VM"),
    Form::new(0, b"QFI\xfb", "a disk image (qcow2)", "name the kernel in it"),
    Form::new(0, b"hsqs", "a file system (squashfs)", "name the kernel in it"),
    Form::new(0x8001, b"CD001", "a disk image (ISO 9660)", "name the kernel in it"),
];

/// Tells whether the file has the header of an arm64 Image: its field `magic`, at offset 56.
#[inline(always)]
pub(super) fn has_header(file: &[u8]) -> bool {
    file.get(56..60) == Some(b"ARM\x64")
}

/// A file that only looks like a kernel to a firmware.
static EFI: Foreign = Foreign { what: "an EFI program, but no arm64 kernel", help: "name a kernel for arm64" };
/// The old format of LZMA.
static LZMA: Foreign = Foreign { what: "compressed with LZMA", help: "unpack it with `unlzma` and name the result" };
static ZEROS: Foreign = Foreign { what: "nothing but zeros", help: "name a kernel; was the file written completely?" };
static TEXT: Foreign = Foreign { what: "a text file", help: "name the kernel's `Image`, or a raw binary" };

/// Tells what `file` is, if it is surely no kernel that can be started.
pub fn foreign(file: &[u8]) -> Option<&'static Foreign> {
    // Whatever else is in an Image, its header says what it is.
    if has_header(file) {
        return None;
    }
    let has = |offset: usize, mark: &[u8]| file.get(offset..).is_some_and(|rest| rest.starts_with(mark));
    if let Some(Form(_, _, foreign)) = FORMS.iter().find(|Form(offset, mark, _)| has(*offset, mark)) {
        return Some(foreign);
    }
    // Programs of printable instructions alone have been written for sport; no compiler makes them.
    let is_printable = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
    let start = file.get(..file.len().min(64)).unwrap_or_default();
    match file {
        [b'M', b'Z', ..] => Some(&EFI),
        _ if is_lzma(file) => Some(&LZMA),
        _ if file.iter().all(|byte| *byte == 0) => Some(&ZEROS),
        _ if start.len() >= 16 && start.iter().all(is_printable) => Some(&TEXT),
        _ => None,
    }
}

/// Whether the bytes begin as the old format of LZMA does, which has no mark: properties, a size of the dictionary that is a
/// power of two, and a length that is unknown or below 1 TiB. What could be a first instruction is none of the three.
fn is_lzma(bytes: &[u8]) -> bool {
    let Some((&[0x5d, dictionary @ ..], rest)) = bytes.split_first_chunk::<5>() else { return false };
    let dictionary = u32::from_le_bytes(dictionary);
    let Some(length) = rest.first_chunk().map(|length| u64::from_le_bytes(*length)) else { return false };
    dictionary.is_power_of_two() && dictionary >= 4096 && (length == u64::MAX || length < 1 << 40)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `mark` at `offset`, in a file that is longer.
    fn file(offset: usize, mark: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x14; 100_000];
        bytes[offset..offset + mark.len()].copy_from_slice(mark);
        bytes
    }

    fn what(file: &[u8]) -> Option<&'static str> {
        foreign(file).map(|form| form.what)
    }

    #[test]
    fn every_mark_is_found() {
        for Form(offset, mark, form) in &FORMS {
            assert_eq!(foreign(&file(*offset, mark)), Some(form));
            assert_eq!(foreign(&file(*offset, mark)[..*offset + mark.len()]), Some(form));
        }
    }

    #[test]
    fn no_form_hides_another() {
        for (index, Form(offset, mark, ..)) in FORMS.iter().enumerate() {
            let before = FORMS[..index].iter().find(|other| other.0 == *offset && mark.starts_with(other.1));
            assert!(before.is_none(), "{mark:?}");
        }
    }

    #[test]
    fn images_and_raw_binaries_pass() {
        for Form(offset, mark, ..) in &FORMS {
            let mut image = file(*offset, mark);
            image[56..60].copy_from_slice(b"ARM\x64");
            assert_eq!(foreign(&image), None, "the header counts");
        }
        // `nop`, `b .`, `mrs x0, currentel`, `mov x0, #0`: what raw binaries begin with.
        for word in [0xd503_201f_u32, 0x1400_0000, 0xd538_4240, 0xd280_0000] {
            let mut bytes = word.to_le_bytes().to_vec();
            bytes.extend(
                b"Copyright: all of this is text, but for the instruction in front of it, and stays a program.",
            );
            assert_eq!(foreign(&bytes), None);
        }
        assert_eq!(foreign(&[0, 0, 0, 0, 0, 0, 0, 0x14]), None);
        assert_eq!(what(b"MZ\0\x14"), Some("an EFI program, but no arm64 kernel"));
    }

    #[test]
    fn the_old_lzma_is_told_from_programs() {
        let lzma = |start: &[u8]| what(&file(0, start));
        let name = Some("compressed with LZMA");
        assert_eq!(lzma(b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff"), name);
        assert_eq!(lzma(b"\x5d\0\0\0\x04\x12\x34\x56\0\0\0\0\0"), name);
        // `b .+372`, and `adr x29, .+8` with others behind it.
        assert_eq!(lzma(b"\x5d\0\0\x14\0\0\0\0\0\0\0\0\0"), None);
        assert_eq!(lzma(b"\x5d\0\0\x10\x1f\x20\x03\xd5\x1f\x20\x03\xd5"), None);
        assert_eq!(foreign(b"\x5d\0\0\x80"), None);
    }

    #[test]
    fn zeros_and_text_are_no_kernels() {
        assert_eq!(what(&[0; if cfg!(miri) { 1000 } else { 100_000 }]), Some("nothing but zeros"));
        assert_eq!(what(b"#!/bin/sh\necho this is a script\n"), Some("a script"));
        assert_eq!(what(b"<!DOCTYPE html>\n<title>404</title>"), Some("a text file"));
        assert_eq!(what(b":10000000D2800000\r\n:1000"), Some("a text file"));
    }
}

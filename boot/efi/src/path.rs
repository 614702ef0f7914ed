//! Paths on the volume that the image came from.

use portcullis_platform::facts::List;

/// Most characters of a path, its end included.
const LONGEST: usize = 256;
/// Name of the bundle's file beside the image.
const BUNDLE: &str = "bundle.img";
/// The load option that names an initial RAM disk, as Linux's EFI stub has it.
const OPTION: &str = "initrd=";

const BACKSLASH: u16 = b'\\' as u16;
const SLASH: u16 = b'/' as u16;

/// A path: UCS-2 with a zero at the end, steps divided by backslashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(List<u16, LONGEST>);

impl Path {
    /// A path of these characters, up to the first zero. None if it is empty or too long.
    pub fn new(text: impl IntoIterator<Item = u16>) -> Option<Self> {
        Self::joined([text])
    }

    /// The path that several nodes of a device path make up, each up to its first zero: between two is one separator, whether
    /// either of them has it, both, or none (UEFI 10.3.5.4). None if it is empty or too long.
    pub fn joined<P: IntoIterator<Item = u16>>(parts: impl IntoIterator<Item = P>) -> Option<Self> {
        let mut path = List::default();
        let mut fits = true;
        for part in parts {
            let mut begins = !path.is_empty();
            for character in part.into_iter().take_while(|character| *character != 0) {
                let character = if character == SLASH { BACKSLASH } else { character };
                let ends_in_separator = path.last() == Some(&BACKSLASH);
                if begins && !ends_in_separator && character != BACKSLASH {
                    fits &= path.push(BACKSLASH);
                }
                begins = false;
                if !ends_in_separator || character != BACKSLASH {
                    fits &= path.push(character);
                }
            }
        }
        fits &= path.push(0);
        (fits && path.len() > 1).then_some(Self(path))
    }

    /// No path.
    pub fn none() -> Self {
        Self(List::default())
    }

    /// The characters with the zero at the end.
    pub fn terminated(&self) -> &[u16] {
        &self.0
    }

    /// The path of the bundle's file in the folder of this one.
    pub fn beside(&self) -> Option<Self> {
        let end = self.0.iter().rposition(|character| *character == BACKSLASH);
        let folder = self.0.get(..end.map_or(0, |end| end.saturating_add(1))).unwrap_or_default();
        Self::new(folder.iter().copied().chain(BUNDLE.encode_utf16()))
    }
}

/// A path that is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// Most characters of a path.
pub const CHARACTERS: usize = LONGEST - 1;

/// The path that the load options name by `initrd=`. None if there is none.
///
/// # Errors
///
/// [`TooLong`].
pub fn named(options: &[u16]) -> Option<Result<Path, TooLong>> {
    let end = options.iter().position(|character| *character == 0).unwrap_or(options.len());
    let mut words = options.get(..end)?.split(|character| *character == u16::from(b' '));
    words.find_map(|word| {
        let rest = word.get(OPTION.len()..)?;
        let is_option = word.iter().copied().zip(OPTION.encode_utf16()).all(|(a, b)| a == b);
        (is_option && !rest.is_empty()).then(|| Path::new(rest.iter().copied()).ok_or(TooLong))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    fn path(text: &str) -> Path {
        Path::new(utf16(text)).unwrap()
    }

    #[test]
    fn paths_end_in_zero_and_have_backslashes() {
        assert_eq!(path("/a/b").terminated(), utf16("\\a\\b\0"));
        assert_eq!(path("a\0b").terminated(), utf16("a\0"));
        assert_eq!(Path::new([]), None);
        assert_eq!(Path::new(utf16(&"x".repeat(LONGEST))), None);
        assert_eq!(path(&"x".repeat(LONGEST - 1)).terminated().len(), LONGEST);
    }

    #[test]
    fn nodes_are_joined_by_one_separator() {
        let joined = |parts: &[&str]| Path::joined(parts.iter().map(|part| utf16(part)));
        for parts in [
            &["\\EFI\\BOOT\\x.efi"][..],
            &["\\EFI\\BOOT", "x.efi"],
            &["\\EFI\\", "\\BOOT\\", "x.efi\0more"],
            &["\\EFI\0", "", "BOOT", "/x.efi"],
            &["\\\\EFI\\BOOT\\", "x.efi"],
        ] {
            assert_eq!(joined(parts), Some(path("\\EFI\\BOOT\\x.efi")), "{parts:?}");
        }
        assert_eq!(joined(&["EFI", "x.efi"]), Some(path("EFI\\x.efi")));
        assert_eq!(joined(&[]), None);
        assert_eq!(joined(&["", "\0"]), None);
        let half = "x".repeat(LONGEST / 2);
        assert_eq!(joined(&[&half, &half[1..]]), None);
        assert_eq!(joined(&[&half, &half[2..]]).map(|path| path.terminated().len()), Some(LONGEST));
    }

    #[test]
    fn the_bundle_lies_beside_the_image() {
        assert_eq!(path("\\EFI\\portcullis\\portcullis.efi").beside(), Some(path("\\EFI\\portcullis\\bundle.img")));
        assert_eq!(path("\\portcullis.img").beside(), Some(path("\\bundle.img")));
        assert_eq!(path("portcullis.img").beside(), Some(path("bundle.img")));
        assert_eq!(Path::none().beside(), Some(path("bundle.img")));
        assert_eq!(path(&format!("{}\\x", "x".repeat(LONGEST - 4))).beside(), None);
    }

    #[test]
    fn options_name_a_file() {
        for options in
            ["initrd=\\b.img", "console=ttyAMA0 initrd=/b.img\0", "initrd= initrd=\\b.img x", "x initrd=\\b.img\0y"]
        {
            assert_eq!(named(&utf16(options)), Some(Ok(path("\\b.img"))), "{options}");
        }
        for options in ["", "\0initrd=x", "initrd=", "noinitrd=x", "initr", "x"] {
            assert_eq!(named(&utf16(options)), None, "{options}");
        }
        let long = |length| named(&utf16(&format!("initrd={} x", "x".repeat(length))));
        assert_eq!(long(CHARACTERS), Some(Ok(path(&"x".repeat(CHARACTERS)))));
        assert_eq!(long(CHARACTERS + 1), Some(Err(TooLong)));
    }
}

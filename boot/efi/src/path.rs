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
        let mut path = List::default();
        let text = text.into_iter().take_while(|character| *character != 0);
        let text = text.map(|character| if character == SLASH { BACKSLASH } else { character });
        let fits = text.chain([0]).all(|character| path.push(character));
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

/// The path that the load options name by `initrd=`. None if there is none, or one that is too long.
pub fn named(options: &[u16]) -> Option<Path> {
    let end = options.iter().position(|character| *character == 0).unwrap_or(options.len());
    let mut words = options.get(..end)?.split(|character| *character == u16::from(b' '));
    words.find_map(|word| {
        let rest = word.get(OPTION.len()..)?;
        word.iter().copied().zip(OPTION.encode_utf16()).all(|(a, b)| a == b).then(|| Path::new(rest.iter().copied()))?
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
            assert_eq!(named(&utf16(options)), Some(path("\\b.img")), "{options}");
        }
        for options in ["", "\0initrd=x", "initrd=", "noinitrd=x", "initr", "x"] {
            assert_eq!(named(&utf16(options)), None, "{options}");
        }
    }
}

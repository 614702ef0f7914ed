//! Where a bundle comes from, in words.

use core::fmt;

/// Who has brought the bundle. What somebody has said comes before what is merely there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A boot loader, by LoadFile2.
    LoadFile2,
    /// A file that the load options name.
    Option,
    /// A boot loader that has put it into memory and named it in the device tree.
    Chosen,
    /// The file beside the image.
    Beside,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LoadFile2 => "from the boot loader, by LoadFile2",
            Self::Option => "from the file that the option initrd= names",
            Self::Chosen => "from the boot loader, by the device tree's /chosen",
            Self::Beside => "from bundle.img beside the image",
        })
    }
}

//! The bundle's header: which bytes are the tree, and which ones the images.

use portcullis_abi::bundle;
use portcullis_arch::checksum::Crc32;
use portcullis_tree::{self as tree, be32};

use super::error::BundleError;

/// A bundle whose header is right and whose bytes are those that were written.
#[derive(Clone, Copy, Debug)]
pub struct Contents<'a> {
    /// The tree, and what fills it up.
    pub tree: &'a [u8],
    /// The images.
    pub images: Images<'a>,
}

/// The images of a bundle.
#[derive(Clone, Copy, Debug)]
pub struct Images<'a>(&'a [u8]);

impl<'a> Images<'a> {
    /// Finds the image whose place a property tells; none if the property is not of that form, or if the place lies
    /// outside.
    pub fn find(self, place: &[u8]) -> Option<&'a [u8]> {
        let (&[start, length], []) = place.as_chunks::<8>() else { return None };
        let [start, length] = [start, length].map(|number| usize::try_from(u64::from_be_bytes(number)).ok());
        self.0.get(start?..)?.get(..length?)
    }
}

/// Opens the bundle at the start of `data`, which may be longer than the bundle.
///
/// # Errors
///
/// [`BundleError`]: what is wrong with the header, or that the checksum is another one.
pub fn open(data: &[u8]) -> Result<Contents<'_>, BundleError> {
    let (header, _) = data.split_first_chunk().ok_or(BundleError::TooShort(data.len()))?;
    let header: &[u8; bundle::HEADER_SIZE] = header;
    let half = |offset| be32(header, offset).unwrap_or(0);
    let word = |offset| u64::from(half(offset)) << 32 | u64::from(half(offset + 4));
    if !header.starts_with(&bundle::MAGIC) {
        return Err(match half(0) {
            tree::MAGIC => BundleError::Old,
            _ => BundleError::Magic(word(0)),
        });
    }
    // Before anything else, as another version may have other fields.
    if half(bundle::VERSION_OFFSET) != bundle::VERSION {
        return Err(BundleError::Version(half(bundle::VERSION_OFFSET)));
    }
    let total = word(bundle::SIZE_OFFSET);
    let size = BundleError::Size { total, available: data.len() };
    let whole = usize::try_from(total).ok().and_then(|total| data.get(..total)).ok_or(size.clone())?;
    let images = word(bundle::IMAGES_OFFSET);
    let place = BundleError::Images { at: images, total };
    let at = usize::try_from(images)
        .ok()
        .filter(|at| (*at as u64).is_multiple_of(bundle::ALIGNMENT))
        .ok_or(place.clone())?;
    let (before, images) = whole.split_at_checked(at).ok_or(place.clone())?;
    let tree = before.get(bundle::HEADER_SIZE..).ok_or(place)?;

    let mut sum = Crc32::new();
    sum.update(whole.get(bundle::CHECKED_OFFSET..).ok_or(size)?);
    let (stored, computed) = (half(bundle::CHECKSUM_OFFSET), sum.finish());
    match stored == computed {
        true => Ok(Contents { tree, images: Images(images) }),
        false => Err(BundleError::Checksum { stored, computed }),
    }
}

//! The images of a bundle, each one once: what several VMs start from is not copied for each of them.

use std::collections::HashMap;

use portcullis_abi::bundle::ALIGNMENT;

/// What fills an image up to where the next one begins.
static FILL: [u8; ALIGNMENT as usize] = [0; ALIGNMENT as usize];

/// Images by their content.
#[derive(Debug, Default)]
pub struct Images<'a> {
    /// Where each content begins, from the beginning of the images.
    places: HashMap<&'a [u8], u64>,
    /// The contents in the order of their places.
    order: Vec<&'a [u8]>,
    size: u64,
}

impl<'a> Images<'a> {
    /// Adds an image if there is none of this content. Where it begins and how long it is.
    pub fn add(&mut self, image: &'a [u8]) -> [u64; 2] {
        let (order, size) = (&mut self.order, &mut self.size);
        let start = *self.places.entry(image).or_insert_with(|| {
            let start = *size;
            order.push(image);
            *size = (start + image.len() as u64).next_multiple_of(ALIGNMENT);
            start
        });
        [start, image.len() as u64]
    }

    /// Bytes of all images, and of what fills them up.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The bytes of all images, in pieces.
    pub fn parts(&self) -> impl Iterator<Item = &[u8]> {
        self.order.iter().flat_map(|image| {
            let fill = image.len().next_multiple_of(FILL.len()) - image.len();
            [*image, &FILL[..fill]]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_content_is_there_once() {
        let (a, b, same) = (vec![1; 65], vec![2; 64], vec![1; 65]);
        let mut images = Images::default();
        assert_eq!([&a, &b, &same].map(|image| images.add(image)), [[0, 65], [128, 64], [0, 65]]);
        assert_eq!(images.add(&[]), [192, 0]);
        let bytes = images.parts().collect::<Vec<_>>().concat();
        assert_eq!((bytes.len() as u64, images.size()), (192, 192));
        assert_eq!((&bytes[..65], &bytes[65..128], &bytes[128..]), (&a[..], &[0; 63][..], &b[..]));
    }
}

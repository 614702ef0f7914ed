//! What the firmware says of bytes that it hands over, and what is made of it.

use uefi_raw::Status;

/// The number of bytes that somebody offers who was asked without room for any, and answered with `status` and `size`.
///
/// # Errors
///
/// The status, if it is not the one for too little room.
pub fn announced(status: Status, size: usize) -> Result<usize, Status> {
    match status {
        Status::BUFFER_TOO_SMALL | Status::SUCCESS => Ok(size),
        status => Err(status),
    }
}

/// The number of bytes that have come into room for `room`, by what was answered.
///
/// # Errors
///
/// The status: also the one for too little room, if there is more now than was announced.
pub fn arrived(status: Status, room: usize, size: usize) -> Result<usize, Status> {
    match status {
        Status::SUCCESS => Ok(size.min(room)),
        status => Err(status),
    }
}

/// Reads until `room` bytes have come or there are no more. `piece` reads what follows the bytes that have come, as many as it
/// is told at the most, and tells how many it has read: a file may come in pieces (UEFI 13.5.7). Returns how many have come.
///
/// # Errors
///
/// The status of the piece that cannot be read.
pub fn whole(room: usize, mut piece: impl FnMut(usize, &mut usize) -> Status) -> Result<usize, Status> {
    let mut come = 0;
    while let Some(left @ 1..) = room.checked_sub(come) {
        let mut size = left;
        match arrived(piece(come, &mut size), left, size)? {
            0 => break,
            size => come = come.saturating_add(size),
        }
    }
    Ok(come)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_is_announced_and_arrives() {
        for status in [Status::BUFFER_TOO_SMALL, Status::SUCCESS] {
            assert_eq!(announced(status, 5), Ok(5));
        }
        assert_eq!(announced(Status::NOT_FOUND, 5), Err(Status::NOT_FOUND));
        // Cut short between the two calls; as long as it was said; longer than there is room for, by a liar and by one that
        // says so.
        assert_eq!([3, 5, 9].map(|size| arrived(Status::SUCCESS, 5, size)), [Ok(3), Ok(5), Ok(5)]);
        assert_eq!(arrived(Status::BUFFER_TOO_SMALL, 5, 9), Err(Status::BUFFER_TOO_SMALL));
        assert_eq!(arrived(Status::DEVICE_ERROR, 5, 5), Err(Status::DEVICE_ERROR));
    }

    /// What comes of a file of so many bytes, read in pieces of so many, and how often was asked.
    fn read(room: usize, length: usize, most: usize) -> (Result<usize, Status>, usize) {
        let mut asked = 0;
        let result = whole(room, |at, size| {
            asked += 1;
            assert!(*size > 0 && at + *size <= room);
            *size = (*size).min(length - at).min(most);
            Status::SUCCESS
        });
        (result, asked)
    }

    #[test]
    fn a_file_that_comes_in_pieces_is_whole() {
        assert_eq!(read(10, 10, 10), (Ok(10), 1));
        assert_eq!(read(10, 10, 3), (Ok(10), 4));
        // Shorter than it was, and longer.
        assert_eq!(read(10, 7, 3), (Ok(7), 4));
        assert_eq!(read(10, 20, 3), (Ok(10), 4));
        assert_eq!(read(0, 5, 3), (Ok(0), 0));
        assert_eq!(read(10, 0, 3), (Ok(0), 1));
    }

    #[test]
    fn a_piece_that_cannot_be_read_ends_it() {
        let mut left = 2;
        let result = whole(10, |_, size| {
            *size = 3;
            left -= 1;
            if left == 0 { Status::DEVICE_ERROR } else { Status::SUCCESS }
        });
        assert_eq!(result, Err(Status::DEVICE_ERROR));
        // One that tells more than it was asked for.
        assert_eq!(
            whole(10, |_, size| {
                *size = usize::MAX;
                Status::SUCCESS
            }),
            Ok(10)
        );
    }
}

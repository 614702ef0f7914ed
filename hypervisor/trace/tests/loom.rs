//! The claims of the ring, checked by loom on the shipped one: every order of the threads' accesses that loom tells apart, with the
//! values that the memory orderings let each load see. Run by
//! `RUSTFLAGS="--cfg loom" cargo test -p portcullis-trace --release loom`.
#![allow(unexpected_cfgs, reason = "loom is switched on by RUSTFLAGS, as its documentation asks")]
#![cfg(loom)]

use loom::sync::Arc;
use loom::thread;
use portcullis_trace::{Read, Ring};

/// A record whose words are all of one number.
fn record(number: u64) -> [u64; 3] {
    [number + 10, number + 20, number + 30]
}

/// A reader beside the writer, which overwrites what is read, sees a record as it was written, or that it is lost.
#[test]
fn loom_a_record_is_read_whole_or_said_to_be_lost() {
    for first in [0, 1, 2] {
        loom::model(move || {
            let ring = Arc::new(Ring::new(2).unwrap());
            (0..first).for_each(|number| ring.write(record(number)));
            let writing = ring.clone();
            let writer = thread::spawn(move || {
                (first..first + 2).for_each(|number| writing.write(record(number)));
            });
            let mut at = first.saturating_sub(1);
            for _ in 0..2 {
                match ring.read(at) {
                    Read::Record(found) => {
                        assert_eq!(found, record(at));
                        at += 1;
                    }
                    Read::Lost(oldest) => {
                        assert!(oldest > at);
                        at = oldest;
                    }
                    Read::None => {}
                }
            }
            writer.join().unwrap();
            // What is left when nobody writes is the last one.
            assert_eq!(ring.read(first + 1), Read::Record(record(first + 1)));
            assert_eq!(ring.read(first), Read::Lost(first + 1));
        });
    }
}

//! The end that EL2 has of a port.

use portcullis_links::serial::{Change, ServerEnd};

#[test]
fn each_opening_is_a_connection() {
    let mut end = ServerEnd::new();
    assert_eq!(end.session(), None);
    end.ready();
    let first = end.session();
    assert!(first.is_some(), "open from when the port is there");
    assert_eq!((end.opened(), end.opened()), (Change::Connected, Change::None));
    assert!(end.is_connected());
    assert_eq!((end.closed(), end.closed()), (Change::Lost, Change::None));
    assert!(end.session().is_some() && end.session() != first);
    assert_eq!(end.opened(), Change::Connected);
}

#[test]
fn to_cut_is_to_close_until_the_program_has_closed() {
    let mut end = ServerEnd::new();
    end.ready();
    assert_eq!(end.cut(), Change::None, "there is no connection");
    end.opened();
    assert_eq!((end.cut(), end.cut()), (Change::Lost, Change::None));
    assert_eq!((end.session(), end.is_connected()), (None, false));
    assert_eq!(end.opened(), Change::None);
    assert_eq!(end.closed(), Change::None, "it was lost before");
    assert!(end.session().is_some());
    assert_eq!(end.opened(), Change::Connected);
    assert_eq!((end.vanished(), end.session()), (Change::Lost, None));
    assert_eq!(end.vanished(), Change::None);
}

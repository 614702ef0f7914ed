//! Status of a management call, in x0.

/// Done.
pub const SUCCESS: i64 = 0;
/// The caller is not the control VM: SMCCC `NOT_SUPPORTED`, as for every function that does not exist.
pub const NOT_SUPPORTED: i64 = -1;
/// No management call has this function identifier.
pub const UNKNOWN_CALL: i64 = -2;
/// [`VERSION`](super::VERSION): the hypervisor does not speak the caller's version.
pub const WRONG_VERSION: i64 = -3;
/// No VM has this number.
pub const UNKNOWN_VM: i64 = -4;
/// No firmware register has this identifier (compared over all 64 bits).
pub const UNKNOWN_REGISTER: i64 = -5;
/// The caller may not do this to this VM, or on this board.
pub const NOT_PERMITTED: i64 = -6;
/// The value has a bit that the board does not support, or is none of the register's values.
pub const UNSUPPORTED: i64 = -7;
/// The VM has started: this cannot change until it is recreated.
pub const FROZEN: i64 = -8;
/// The VM's phase is none that this call starts from.
pub const BAD_STATE: i64 = -9;
/// Something else is in progress with this VM; ask again.
pub const BUSY: i64 = -10;
/// An argument has none of its values.
pub const BAD_ARGUMENT: i64 = -11;
/// A list has no item of this index: its end.
pub const NO_ITEM: i64 = -12;
/// A reserved bit of an argument is set.
pub const RESERVED: i64 = -13;
/// The range runs past the last function identifier.
pub const WRAPS: i64 = -14;
/// The range has a function that is never forwarded.
pub const FORWARD_REFUSED: i64 = -15;
/// The range overlaps an earlier one or the Arm architecture calls.
pub const OVERLAPS: i64 = -16;
/// The filter holds as many ranges as it can (32).
pub const FULL: i64 = -17;

/// There is no firmware at EL3 to forward to. Since version 1.1.
pub const NO_FIRMWARE: i64 = -18;
/// The range has no function. Since version 1.3; before, [`WRAPS`].
pub const EMPTY: i64 = -19;
/// The VM cannot be saved, or the stream is none that it can be restored from. Since version 1.4.
pub const UNFIT: i64 = -20;
/// No program has the port of data open, or has had a transfer already since it has opened it. Since version 1.4.
pub const CLOSED: i64 = -21;
/// The hypervisor has no memory for it. Since version 1.4.
pub const NO_MEMORY: i64 = -22;

/// Every status with its name, in descending order.
pub const STATUSES: [(&str, i64); 23] = [
    ("SUCCESS", SUCCESS),
    ("NOT_SUPPORTED", NOT_SUPPORTED),
    ("UNKNOWN_CALL", UNKNOWN_CALL),
    ("WRONG_VERSION", WRONG_VERSION),
    ("UNKNOWN_VM", UNKNOWN_VM),
    ("UNKNOWN_REGISTER", UNKNOWN_REGISTER),
    ("NOT_PERMITTED", NOT_PERMITTED),
    ("UNSUPPORTED", UNSUPPORTED),
    ("FROZEN", FROZEN),
    ("BAD_STATE", BAD_STATE),
    ("BUSY", BUSY),
    ("BAD_ARGUMENT", BAD_ARGUMENT),
    ("NO_ITEM", NO_ITEM),
    ("RESERVED", RESERVED),
    ("WRAPS", WRAPS),
    ("FORWARD_REFUSED", FORWARD_REFUSED),
    ("OVERLAPS", OVERLAPS),
    ("FULL", FULL),
    ("NO_FIRMWARE", NO_FIRMWARE),
    ("EMPTY", EMPTY),
    ("UNFIT", UNFIT),
    ("CLOSED", CLOSED),
    ("NO_MEMORY", NO_MEMORY),
];

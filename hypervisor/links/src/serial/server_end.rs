//! The end of a port that EL2 itself has: a server of disks, or of management calls, is at the other one.

/// What a change of the port means to who uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// A program has opened the port: a new connection.
    Connected,
    /// The connection is over.
    Lost,
}

/// EL2's end of a port. Open from when the driver has set the port up; each opening by a program is a connection of its own. To
/// cut one, the end is closed until the program has closed as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerEnd {
    ready: bool,
    open: bool,
    cutting: bool,
    /// Number of the time that it was open.
    session: u32,
}

impl ServerEnd {
    /// An end of a port that is not there yet.
    pub const fn new() -> Self {
        Self { ready: false, open: false, cutting: false, session: 0 }
    }

    /// The session that the port is to show.
    pub const fn session(&self) -> Option<u32> {
        if self.ready && !self.cutting { Some(self.session) } else { None }
    }

    /// Whether there is a connection.
    pub const fn is_connected(&self) -> bool {
        self.open && !self.cutting
    }

    /// The driver has set the port up.
    pub const fn ready(&mut self) {
        self.ready = true;
    }

    /// A program has opened the port.
    pub const fn opened(&mut self) -> Change {
        if self.open {
            return Change::None;
        }
        self.open = true;
        if self.cutting { Change::None } else { Change::Connected }
    }

    /// A program has closed the port: what is open for it again is another session.
    pub const fn closed(&mut self) -> Change {
        let connected = self.is_connected();
        if self.open {
            self.session = self.session.wrapping_add(1);
        }
        (self.open, self.cutting) = (false, false);
        if connected { Change::Lost } else { Change::None }
    }

    /// The VM, or its driver, has stopped or begins anew.
    pub const fn vanished(&mut self) -> Change {
        let change = self.closed();
        self.ready = false;
        change
    }

    /// Ends the connection.
    pub const fn cut(&mut self) -> Change {
        if !self.is_connected() {
            return Change::None;
        }
        self.cutting = true;
        Change::Lost
    }
}

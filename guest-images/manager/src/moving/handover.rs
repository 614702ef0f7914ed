//! The hand-over: who has the VM when, so that never two copies of it run, and a pipe that breaks before `go` costs nobody his VM.
//!
//! Between the two programs lies a pipe each way, and either end may be cut off at any time. The giver says `go` only when its
//! own VM has been given away, which the hypervisor holds to; the taker lets its copy run only when it has heard it. So the
//! copy runs only where the VM cannot. Before `go` was tried to be said nobody can have heard it: the VM goes on where it was.
//! From then on nobody but a person who has looked at both can know, and the VM stays given away.

/// What the giver does, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Giving {
    /// Greets, and waits until the other side does. Nothing has happened to the VM so far.
    Greet,
    /// Has the VM stand still.
    Pause,
    /// Sends all of it.
    Send,
    /// Waits until the other side has all of it in place.
    HearReady,
    /// Gives the VM away.
    GiveAway,
    /// Says `go`.
    SayGo,
    /// Waits until the other side says that it runs there.
    HearDone,
    /// Stops what is left of it here.
    Forget,
}

/// How it has ended for the giver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// The VM runs there, and what is left of it here is stopped.
    Moved,
    /// The VM was not touched.
    Untouched,
    /// The VM is to go on here: nobody can have heard `go`.
    Back,
    /// The VM stays given away: it may run there.
    Unknown,
    /// The VM runs there; here it is given away still.
    Kept,
}

impl Giving {
    /// What comes behind this step, which succeeded or did not.
    ///
    /// # Errors
    /// The end.
    pub const fn next(self, succeeded: bool) -> Result<Self, Given> {
        match (self, succeeded) {
            (Self::Greet, true) => Ok(Self::Pause),
            (Self::Pause, true) => Ok(Self::Send),
            (Self::Send, true) => Ok(Self::HearReady),
            (Self::HearReady, true) => Ok(Self::GiveAway),
            (Self::GiveAway, true) => Ok(Self::SayGo),
            (Self::SayGo, true) => Ok(Self::HearDone),
            (Self::HearDone, true) => Ok(Self::Forget),
            (Self::Forget, true) => Err(Given::Moved),
            (Self::Greet, false) => Err(Given::Untouched),
            (Self::Pause | Self::Send | Self::HearReady | Self::GiveAway, false) => Err(Given::Back),
            (Self::SayGo | Self::HearDone, false) => Err(Given::Unknown),
            (Self::Forget, false) => Err(Given::Kept),
        }
    }
}

/// What the taker does, in this order, when it has been greeted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taking {
    /// Greets back.
    Greet,
    /// Takes all of the VM, which stands still.
    Receive,
    /// Says `ready`.
    SayReady,
    /// Waits for `go`.
    HearGo,
    /// Lets the copy run.
    Resume,
    /// Says `done`.
    SayDone,
}

/// How it has ended for the taker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The VM runs here, and the other side was told.
    Done,
    /// Nothing came, or it was refused: the VM here is as it was.
    Nothing,
    /// The copy is whole, and is not to run: it is thrown away.
    Discard,
    /// The other side has given its VM away, and this one is the only copy: it is kept, paused.
    Keep,
    /// The VM runs here; perhaps the other side does not know.
    Untold,
}

impl Taking {
    /// What comes behind this step, which succeeded or did not.
    ///
    /// # Errors
    /// The end.
    pub const fn next(self, succeeded: bool) -> Result<Self, Taken> {
        match (self, succeeded) {
            (Self::Greet, true) => Ok(Self::Receive),
            (Self::Receive, true) => Ok(Self::SayReady),
            (Self::SayReady, true) => Ok(Self::HearGo),
            (Self::HearGo, true) => Ok(Self::Resume),
            (Self::Resume, true) => Ok(Self::SayDone),
            (Self::SayDone, true) => Err(Taken::Done),
            (Self::Greet | Self::Receive, false) => Err(Taken::Nothing),
            (Self::SayReady | Self::HearGo, false) => Err(Taken::Discard),
            (Self::Resume, false) => Err(Taken::Keep),
            (Self::SayDone, false) => Err(Taken::Untold),
        }
    }
}

/// Does step by step what comes, until it ends; with why, if a step has failed.
pub fn run<S: Copy, End, E>(
    first: S,
    next: impl Fn(S, bool) -> Result<S, End>,
    mut act: impl FnMut(S) -> Result<(), E>,
) -> (End, Option<E>) {
    let mut step = first;
    loop {
        let failed = act(step).err();
        match next(step, failed.is_none()) {
            Ok(following) => step = following,
            Err(end) => return (end, failed),
        }
    }
}

#[cfg(test)]
mod tests;

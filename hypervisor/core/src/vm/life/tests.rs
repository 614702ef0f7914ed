//! What belongs to each change of the state.

use super::super::failure::Reason;
use super::super::state::Phase;
use super::*;

fn running(limit: u32) -> Life {
    let life = Life::new(limit);
    life.run();
    life.counter().begin(1000);
    life
}

fn failure(vcpu: usize) -> Failure {
    Failure { reason: Reason::Exception, vcpu, syndrome: 1, pc: 2, address: 3 }
}

#[test]
fn a_pause_costs_the_guest_no_time() {
    let life = running(0);
    assert!(!life.all_parked(1500), "nobody asked for it");
    assert_eq!(life.pause(), Ok(()));
    assert!(life.all_parked(1500) && !life.all_parked(1600));
    assert_eq!(life.state().phase, Phase::Paused);
    let resume = |now| life.resume(now, State::resume);
    assert_eq!((resume(2500), resume(2600)), (Ok(()), Err(LifecycleError::BadState)));
    assert_eq!(life.counter().offset(), 2000, "the refused one moved nothing");
}

#[test]
fn the_first_failure_counts_and_an_end_that_was_decided_before_it() {
    let life = running(0);
    assert!(life.fail(failure(0)) && !life.fail(failure(1)));
    assert_eq!(life.failure().map(|failure| failure.vcpu), Some(0));
    assert_eq!(life.all_off(false).1.phase, Phase::Failed);

    let life = running(0);
    assert!(life.end(Action::Off) && !life.fail(failure(0)) && life.failure().is_none());
    assert_eq!(life.all_off(false).1.phase, Phase::Stopped);
}

#[test]
fn who_sees_that_it_fails_waits_for_the_reason() {
    let life = running(0);
    let about = core::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reason = life.failure.lock();
        scope.spawn(|| {
            about.store(true, Ordering::SeqCst);
            assert!(life.fail(failure(0)));
        });
        while !about.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        // It is given every chance to change the state first.
        for _ in 0..1000 {
            std::thread::yield_now();
            assert!(life.is_running(), "the state says so before the reason is there");
        }
        drop(reason);
    });
    assert_eq!(life.failure(), Some(failure(0)));
}

#[test]
fn only_what_was_saved_since_it_was_paused_is_given_away() {
    let life = running(0);
    let pause = || {
        assert_eq!(life.pause(), Ok(()));
        assert!(life.all_parked(1500));
        assert_eq!(life.give_away(), Err(LifecycleError::BadState), "what is elsewhere is of another moment");
    };
    let save = |whole| {
        assert_eq!((life.save(), life.give_away()), (Ok(()), Err(LifecycleError::Busy)));
        life.saved(whole);
    };
    pause();
    save(false);
    assert_eq!(life.give_away(), Err(LifecycleError::BadState), "not all of it is elsewhere");
    save(true);
    assert_eq!(life.resume(2000, State::resume), Ok(()));
    pause();
    save(true);
    assert_eq!((life.forget(), life.give_away()), (Err(LifecycleError::BadState), Ok(())));
    assert_eq!((life.resume(2500, State::resume), life.counter().offset()), (Err(LifecycleError::BadState), 1500));
    assert!(!life.fail(failure(0)) && life.failure().is_none() && !life.end(Action::Reset));
    assert_eq!(life.resume(2500, State::take_back), Ok(()));
    pause();
    save(true);
    assert_eq!((life.give_away(), life.forget()), (Ok(()), Ok(())));
    assert_eq!(life.all_off(false).1.phase, Phase::Stopped);
}

#[test]
fn it_starts_again_as_often_as_it_may_and_not_when_the_machine_ends() {
    let life = running(2);
    for _ in 0..2 {
        assert!(life.fail(failure(0)));
        assert_eq!(life.all_off(false).1, State::RUNNING);
    }
    assert!(life.end(Action::Reset));
    assert_eq!(life.all_off(false).1, State::RUNNING, "a reset is no failure");
    assert_eq!(life.restart_policy().total(), 3);
    assert!(life.fail(failure(0)));
    assert_eq!(life.all_off(false).1.phase, Phase::Failed);

    let life = running(2);
    assert!(life.fail(failure(0)));
    assert_eq!(life.all_off(true).1.phase, Phase::Failed);
    assert_eq!(life.restart_policy().total(), 0);
}

#[test]
fn a_manager_gives_it_all_its_restarts_again() {
    let life = running(1);
    assert!(life.fail(failure(0)));
    assert_eq!(life.all_off(false).1, State::RUNNING);
    assert!(!life.restart_policy().has_left());
    assert!(life.restart(State::restart).is_ok());
    assert!(life.restart_policy().has_left());
    assert_eq!(life.restart_policy().total(), 1, "what is in progress counts when its vCPUs are off");
    assert_eq!(life.all_off(false).1, State::RUNNING);
    assert_eq!(life.restart_policy().total(), 2);
}

#[test]
fn nothing_is_left_of_it_in_a_new_one() {
    let life = running(1);
    assert_eq!(life.contents(), Contents::Foreign);
    life.set_loaded();
    assert_eq!(life.contents(), Contents::Life);
    assert!(life.fail(failure(0)));
    life.all_off(true);
    life.set_scrubbed(4096);
    assert_eq!(life.recreate(), Ok(()));
    assert_eq!(life.scrubbed(), 0, "whoever scrubs begins at the beginning");
    life.created();
    assert_eq!(life.state(), State::CREATED);
    assert_eq!(life.contents(), Contents::Zeros);
    assert!(life.failure().is_none() && life.restart_policy().total() == 0);
}

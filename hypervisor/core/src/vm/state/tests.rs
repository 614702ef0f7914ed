//! The table of phases and actions, gone through as a whole.

use super::*;

fn every_state() -> impl Iterator<Item = State> {
    Phase::ALL.into_iter().flat_map(|phase| Action::ALL.map(|action| State { phase, action }))
}

#[test]
fn a_word_is_its_state() {
    for state in every_state() {
        assert_eq!(State::from_word(state.word()), state);
    }
}

#[test]
fn requests_start_from_their_phases_only() {
    use Phase::{Created, Failed, GivenAway, Paused, Running, Stopped};
    type Request = fn(State) -> Result<State, LifecycleError>;
    let requests: [(Request, &[Phase]); 11] = [
        (State::start, &[Created]),
        (State::pause, &[Running]),
        (State::resume, &[Paused]),
        (State::stop, &[Running, Paused]),
        (State::restart, &[Running, Paused, Stopped, Failed]),
        (State::recreate, &[Created, Stopped, Failed]),
        (State::save, &[Paused]),
        (State::restore, &[Created]),
        (State::give_away, &[Paused]),
        (State::take_back, &[Paused, GivenAway]),
        (State::forget, &[GivenAway]),
    ];
    for (request, from) in requests {
        for state in every_state() {
            let expected = match state.action {
                Action::None if from.contains(&state.phase) => None,
                Action::None => Some(LifecycleError::BadState),
                _ => Some(LifecycleError::Busy),
            };
            assert_eq!(request(state).err(), expected, "{state:?}");
        }
    }
}

#[test]
fn the_first_end_counts_and_a_pause_gives_way() {
    for state in every_state() {
        let ends = matches!(state.phase, Phase::Running | Phase::Paused)
            && matches!(state.action, Action::None | Action::Pause | Action::Save);
        for action in [Action::Off, Action::Reset, Action::Fail] {
            let ended = state.end(action);
            let with_the_machine = state == State::settled(Phase::GivenAway) && action == Action::Off;
            assert_eq!(ended.is_some(), ends || with_the_machine, "{state:?}");
            assert!(ended.is_none_or(|state| state.must_leave() && state.action == action));
        }
    }
}

#[test]
fn what_becomes_of_it() {
    let running = State::RUNNING;
    assert_eq!(running.all_off(true).phase, Phase::Stopped);
    assert_eq!(running.pause().unwrap().all_off(true).phase, Phase::Stopped);
    assert_eq!(running.stop().unwrap().all_off(true).phase, Phase::Stopped);
    assert_eq!(running.restart().unwrap().all_off(false), running);
    let failing = running.end(Action::Fail).unwrap();
    assert_eq!(failing.all_off(false).phase, Phase::Failed);
    assert_eq!(failing.all_off(true), running);
    assert_eq!(failing.all_off_for_good().phase, Phase::Failed);
    assert_eq!(running.restart().unwrap().all_off_for_good().phase, Phase::Stopped);
    let paused = running.pause().unwrap().all_parked().unwrap();
    assert_eq!(paused.phase, Phase::Paused);
    assert!(paused.is_held() && !paused.must_leave());
    assert_eq!(paused.resume(), Ok(running));
    assert_eq!(paused.restart().unwrap().all_off(false), running);
    assert_eq!(running.all_parked(), None);
}

/// Whatever is asked, and whatever happens to it, but for the one request that says so, it does not run here again.
#[test]
fn what_was_given_away_never_runs_by_itself() {
    type Change = fn(State) -> Option<State>;
    const CHANGES: [Change; 19] = [
        |state| state.start().ok(),
        |state| state.pause().ok(),
        |state| state.resume().ok(),
        |state| state.stop().ok(),
        |state| state.restart().ok(),
        |state| state.recreate().ok(),
        |state| state.save().ok(),
        |state| state.restore().ok(),
        |state| state.give_away().ok(),
        State::saved,
        |state| state.restored(Phase::Paused),
        |state| state.restored(Phase::Created),
        |state| state.end(Action::Off),
        |state| state.end(Action::Reset),
        |state| state.end(Action::Fail),
        State::all_parked,
        |state| Some(state.all_off_for_good()),
        |state| state.must_leave().then(|| state.all_off(true)),
        |state| state.must_leave().then(|| state.all_off(false)),
    ];
    let given = State::settled(Phase::GivenAway);
    assert!(given.is_held() && !given.must_leave());
    let mut reached = vec![given];
    let mut next = 0;
    while let Some(&state) = reached.get(next).filter(|state| state.phase == Phase::GivenAway) {
        for after in CHANGES.into_iter().filter_map(|change| change(state)) {
            assert_ne!(after, State::RUNNING, "{state:?}");
            if !reached.contains(&after) {
                reached.push(after);
            }
        }
        next += 1;
    }
    assert_eq!(reached.last(), Some(&State::settled(Phase::Stopped)), "with the machine");
    assert_eq!(given.take_back(), Ok(State::RUNNING));
    assert_eq!(given.forget().map(|state| (state.must_leave(), state.all_off(true).phase)), Ok((true, Phase::Stopped)));
}

#[test]
fn what_is_saved_stays_paused_and_what_is_restored_becomes_so() {
    let paused = State::RUNNING.pause().unwrap().all_parked().unwrap();
    let saving = paused.save().unwrap();
    assert!(saving.is_held() && !saving.must_leave());
    assert_eq!((saving.saved(), paused.saved()), (Some(paused), None));
    assert_eq!(saving.end(Action::Off).map(|state| state.all_off(false).phase), Some(Phase::Stopped));
    let restoring = State::CREATED.restore().unwrap();
    assert!(restoring.is_held(), "none of its vCPUs runs before it is whole");
    assert_eq!(
        (restoring.restored(Phase::Paused), restoring.restored(Phase::Created)),
        (Some(paused), Some(State::CREATED))
    );
    assert_eq!((State::CREATED.restored(Phase::Paused), restoring.end(Action::Fail)), (None, None));
}

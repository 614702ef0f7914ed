//! The keys, and what they are for.

use controls::lifecycle::{ACTIONS, Action};

/// A key, as far as it has a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A character.
    Character(char),
    /// To the VM above.
    Up,
    /// To the VM below.
    Down,
    /// To the first VM.
    First,
    /// To the last VM.
    Last,
    /// To the other page.
    Tab,
    /// Out of what was begun.
    Escape,
    /// Leaves, whatever was begun: Ctrl-C.
    Interrupt,
    /// The screen has another size.
    Resized,
}

/// The keys of the lifecycle, each with its action's name. A capital ends what runs.
const LIFECYCLE: [(char, &str); 7] = [
    ('s', "start"),
    ('p', "pause"),
    ('r', "resume"),
    ('S', "stop"),
    ('R', "restart"),
    ('C', "recreate"),
    ('F', "forget"),
];

/// What a character does with a VM.
pub fn action_of(character: char) -> Option<&'static Action> {
    let (_, name) = LIFECYCLE.iter().find(|(key, _)| *key == character)?;
    ACTIONS.iter().copied().find(|action| action.name == *name)
}

/// The help, a line each.
pub fn help() -> Vec<String> {
    let mut lines = vec!["Up, Down, k, j, Home, End   select a VM".to_owned()];
    for (key, name) in LIFECYCLE {
        let about = action_of(key).map_or("", |action| action.about);
        lines.push(format!("{key}   {name}: {about}"));
    }
    lines.extend(
        [
            "A capital ends what runs, and asks first.",
            "Tab   calls and exits, or links",
            "t   counts per second, or since the VM was created",
            "Space   looks at once",
            "?   this help; any key leaves it",
            "q   leaves",
        ]
        .map(str::to_owned),
    );
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_key_of_its_own() {
        for action in ACTIONS {
            let keys: Vec<_> = LIFECYCLE.iter().filter(|(_, name)| *name == action.name).collect();
            assert_eq!(keys.len(), 1, "{}", action.name);
            assert_eq!(action_of(keys[0].0).unwrap().name, action.name);
        }
        assert!(action_of('q').is_none());
    }

    #[test]
    fn the_help_fits_on_the_smallest_screen() {
        assert!(help().len() <= 20);
        for line in help() {
            assert!(line.len() <= 78, "{line}");
        }
    }
}

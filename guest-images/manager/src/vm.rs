//! VMs by name and by number, with the nearest name for one that is none.

use controls::number;
use controls::vm::{VmNames, names};

use crate::error::Error;
use crate::port::Port;

/// Likeness from which on a name is offered: as clap does for its own words.
const LIKE: f64 = 0.7;

/// Number of the VM that a word means: a name, or a number, whether there is such a VM or not.
///
/// # Errors
/// No VM has this name, or the port failed.
pub fn find(port: &mut Port, word: &str) -> Result<u64, Error> {
    match number::parse(word) {
        Some(number) => Ok(number),
        None => among(&names(port)?, word),
    }
}

fn among(names: &VmNames, word: &str) -> Result<u64, Error> {
    if let Some(position) = names.iter().position(|name| name == word) {
        return Ok(position as u64);
    }
    let known: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    let nearest = known
        .iter()
        .map(|name| (strsim::jaro(word, name), name))
        .filter(|(likeness, _)| *likeness > LIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let offer = nearest.map_or(".".to_owned(), |(_, name)| format!(", did you mean {name:?}?"));
    Err(Error::NoVm(format!("no VM is called {word:?}{offer} There are {}", known.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(word: &str) -> Result<u64, String> {
        let names = ["ops", "linux-a", "linux-b"].map(|name| name.try_into().unwrap()).into_iter().collect();
        among(&names, word).map_err(|error| error.to_string())
    }

    #[test]
    fn the_nearest_name_is_offered() {
        assert_eq!(said("linux-b"), Ok(2));
        assert_eq!(
            said("linx-a").unwrap_err(),
            "no VM is called \"linx-a\", did you mean \"linux-a\"? There are ops, linux-a, linux-b"
        );
        assert_eq!(said("windows").unwrap_err(), "no VM is called \"windows\". There are ops, linux-a, linux-b");
    }
}

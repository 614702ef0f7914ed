//! Which tests run.

use super::cases;

/// Which tests to run. A test's name is `PART NAME`, for instance `qemu linux`.
#[derive(Clone, Debug)]
pub enum Filter {
    /// Those whose name contains a text; all of them if it is empty.
    Text(String),
    /// The README's machines; with `all` the other tests of boards, too.
    Boards {
        /// Every one.
        all: bool,
    },
}

impl Filter {
    /// The one that a command line means: the tests that it names, or `boards`.
    pub fn new(words: Option<&str>, all: bool) -> Self {
        match words {
            Some("boards") => Self::Boards { all },
            words => Self::Text(words.unwrap_or_default().to_owned()),
        }
    }

    /// Whether the test `name` of `part` is to run.
    pub fn selects(&self, part: &str, name: &str) -> bool {
        match self {
            Self::Text(text) => format!("{part} {name}").contains(text.as_str()),
            Self::Boards { all } => match part {
                "qemu" => cases::MATRIX.contains(&name) || *all && cases::is_of_board(name),
                "trees" => *all,
                _ => false,
            },
        }
    }

    /// The text in names.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Boards { .. } => "boards",
        }
    }

    /// Whether every test is to run that needs no name.
    pub fn is_empty(&self) -> bool {
        self.text().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boards_are_those_of_the_matrix_and_all_of_them() {
        let text = Filter::new(Some("linux"), false);
        assert!(text.selects("qemu", "linux-gicv2") && !text.selects("qemu", "conformance"));
        assert!(Filter::new(None, false).selects("host", "anything"));
        let [matrix, all] = [false, true].map(|all| Filter::new(Some("boards"), all));
        assert!(cases::MATRIX.iter().all(|name| matrix.selects("qemu", name) && all.selects("qemu", name)));
        for name in ["zcu102-passthrough", "virt-64-cores", "raspi4b-no-tree"] {
            assert!(!matrix.selects("qemu", name) && all.selects("qemu", name), "{name}");
        }
        assert!(
            !all.selects("qemu", "manage-fuzz")
                && !all.selects("host", "console")
                && all.selects("trees", "understood")
        );
        assert!(!matrix.selects("trees", "understood"));
    }
}

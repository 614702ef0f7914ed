//! What can be wrong with a board's device tree.

use core::fmt;

use portcullis_tree::TreeError;

/// What is wrong with a board's device tree. The text says what is broken and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactsError {
    /// The blob is cut short, damaged, or no device tree.
    Tree(TreeError),
    /// There is no such node, or it is disabled.
    NoNode {
        /// What is missing.
        node: &'static str,
        /// How such a node is recognised.
        expected: &'static str,
    },
    /// A node's property is missing, or does not have the form that its binding wants.
    Property {
        /// The node.
        node: &'static str,
        /// The property.
        property: &'static str,
        /// What the property holds on a right tree.
        expected: &'static str,
    },
    /// More of something than there is room for.
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many of it there can be.
        limit: usize,
    },
}

impl fmt::Display for FactsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tree(error) => write!(f, "the device tree is broken: {error}"),
            Self::NoNode { node, expected } => {
                write!(f, "the device tree has no enabled {node}; a node with {expected} is needed")
            }
            Self::Property { node, property, expected } => {
                write!(f, "\"{property}\" of the {node} is missing or wrong in the device tree; it holds {expected}")
            }
            Self::TooMany { what, limit } => write!(f, "the device tree has too many {what}; {limit} are the most"),
        }
    }
}

impl core::error::Error for FactsError {}

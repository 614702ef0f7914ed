//! The reader. One pass over the whole structure checks it and shows it to a visitor; after that nothing can be out of
//! place, and where the code below still meets something that is, iteration ends.

use core::fmt;

use super::{BEGIN_NODE, END, END_NODE, HEADER_SIZE, MAGIC, NOP, PROPERTY, VERSION};

/// Deepest nesting of nodes; Linux has the same limit.
const DEPTH_MAX: usize = 64;

/// What is wrong with a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeError {
    /// The blob does not start with the magic number.
    Magic(u32),
    /// The header tells more bytes than there are, or fewer than a header has.
    Size {
        /// The size that the header tells.
        total: usize,
        /// The bytes at hand.
        available: usize,
    },
    /// The blob cannot be read by a reader of version 17.
    Version(u32),
    /// The header's offset or size of a block points outside the blob, or the offset is not a multiple of 4.
    Block(&'static str),
    /// The structure block is broken this many bytes into it.
    Structure(usize),
}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic(found) => write!(f, "it starts with {found:#010x}; a device tree starts with {MAGIC:#x}"),
            Self::Size { total, available } => {
                write!(f, "its header tells {total} bytes, {available} are there; all of it is needed")
            }
            Self::Version(found) => write!(f, "its version is {found}; version {VERSION} is needed"),
            Self::Block(block) => write!(f, "its header places the {block} block outside of it"),
            Self::Structure(offset) => write!(f, "its structure block is broken at offset {offset:#x}"),
        }
    }
}

impl core::error::Error for TreeError {}

/// What is shown the parts of a tree in their order.
pub trait Visitor<'a> {
    /// A node begins. Its properties come next, then its child nodes.
    fn begin(&mut self, node: Node<'a>);
    /// A property of the node that began last.
    fn property(&mut self, property: Property<'a>);
    /// A node ends.
    fn end(&mut self);
}

/// Looks at nothing.
impl Visitor<'_> for () {
    fn begin(&mut self, _: Node<'_>) {}
    fn property(&mut self, _: Property<'_>) {}
    fn end(&mut self) {}
}

/// A blob whose structure has been checked.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'a> {
    reservations: &'a [u8],
    structure: &'a [u8],
    strings: &'a [u8],
}

impl<'a> Tree<'a> {
    /// Checks the blob at the start of `data`, which may be longer than the blob.
    pub fn new(data: &'a [u8]) -> Result<Self, TreeError> {
        Self::visit(data, &mut ())
    }

    /// Checks the blob at the start of `data`, and shows its parts to `visitor` while doing so. What the visitor has seen
    /// means something only if no error comes back.
    pub fn visit(data: &'a [u8], visitor: &mut impl Visitor<'a>) -> Result<Self, TreeError> {
        let size = TreeError::Size { total: HEADER_SIZE, available: data.len() };
        let header: &[u8; HEADER_SIZE] = data.first_chunk().ok_or(size)?;
        let field = |offset| be32(header, offset).unwrap_or(0);
        if field(0) != MAGIC {
            return Err(TreeError::Magic(field(0)));
        }
        let total = field(4) as usize;
        let size = TreeError::Size { total, available: data.len() };
        let blob = data.get(..total).filter(|blob| blob.len() >= HEADER_SIZE).ok_or(size)?;
        if !(field(24)..=field(20)).contains(&VERSION) {
            return Err(TreeError::Version(field(20)));
        }
        let block = |name, offset: u32| {
            let block = blob.get(offset as usize..).filter(|_| offset.is_multiple_of(4));
            block.ok_or(TreeError::Block(name))
        };
        let sized = |name, offset, size: u32| {
            block(name, offset).and_then(|block| block.get(..size as usize).ok_or(TreeError::Block(name)))
        };
        let strings = blob.get(field(12) as usize..).and_then(|strings| strings.get(..field(32) as usize));
        let tree = Self {
            reservations: block("memory reservation", field(16))?,
            structure: sized("structure", field(8), field(36))?,
            strings: strings.ok_or(TreeError::Block("strings"))?,
        };
        tree.walk(visitor)?;
        Ok(tree)
    }

    /// Goes through all tokens: they are known and whole, nodes nest, properties come before child nodes, names end.
    fn walk(&self, visitor: &mut impl Visitor<'a>) -> Result<(), TreeError> {
        // The last string must end, so that every name does that starts inside the block.
        if self.strings.last().is_some_and(|last| *last != 0) {
            return Err(TreeError::Block("strings"));
        }
        let mut cursor = Cursor { tree: *self, rest: self.structure };
        let mut depth = 0usize;
        let mut takes_properties = false;
        loop {
            let broken = TreeError::Structure(self.structure.len().saturating_sub(cursor.rest.len()));
            match cursor.next().ok_or(broken)? {
                Token::Begin(name) => {
                    if name.is_empty() != (depth == 0) || depth == DEPTH_MAX {
                        return Err(broken);
                    }
                    depth = depth.saturating_add(1);
                    takes_properties = true;
                    visitor.begin(Node { name, content: cursor });
                }
                Token::End => {
                    visitor.end();
                    depth = depth.checked_sub(1).ok_or(broken)?;
                    takes_properties = false;
                    if depth == 0 {
                        break;
                    }
                }
                Token::Property(property) => {
                    if !takes_properties || property.name_offset as usize >= self.strings.len() {
                        return Err(broken);
                    }
                    visitor.property(property);
                }
            }
        }
        let broken = TreeError::Structure(self.structure.len().saturating_sub(cursor.rest.len()));
        while let Some(token) = cursor.word() {
            match token {
                NOP => {}
                END => return Ok(()),
                _ => break,
            }
        }
        Err(broken)
    }

    /// The root node.
    pub fn root(&self) -> Node<'a> {
        let mut cursor = Cursor { tree: *self, rest: self.structure };
        // Takes the root's begin token off.
        let _ = cursor.next();
        Node { name: &[], content: cursor }
    }

    /// The entries of the memory reservation block: address and size, in bytes.
    pub fn reservations(&self) -> impl Iterator<Item = (u64, u64)> + use<'a> {
        let (entries, _) = self.reservations.as_chunks::<8>();
        let (entries, _) = entries.as_chunks::<2>();
        let entry = |[address, size]: &[[u8; 8]; 2]| (u64::from_be_bytes(*address), u64::from_be_bytes(*size));
        entries.iter().map(entry).take_while(|entry| *entry != (0, 0))
    }
}

/// A node.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    /// Name with unit address; empty for the root.
    pub name: &'a [u8],
    content: Cursor<'a>,
}

impl<'a> Node<'a> {
    /// The name without the unit address.
    pub fn base_name(&self) -> &'a [u8] {
        self.name.split(|byte| *byte == b'@').next().unwrap_or_default()
    }

    /// The properties.
    pub fn properties(&self) -> impl Iterator<Item = Property<'a>> + use<'a> {
        let mut cursor = self.content;
        core::iter::from_fn(move || match cursor.next() {
            Some(Token::Property(property)) => Some(property),
            _ => None,
        })
    }

    /// The value of the property of that name.
    pub fn property(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.properties().find(|property| property.name() == name).map(|property| property.value)
    }

    /// The child nodes.
    pub fn children(&self) -> impl Iterator<Item = Node<'a>> + use<'a> {
        let mut cursor = self.content;
        // Nodes to leave before the next child: the one that was handed out, and those inside it.
        let mut depth = 0usize;
        core::iter::from_fn(move || {
            loop {
                match cursor.next()? {
                    Token::Begin(name) => {
                        depth = depth.saturating_add(1);
                        if depth == 1 {
                            return Some(Node { name, content: cursor });
                        }
                    }
                    Token::End => depth = depth.checked_sub(1)?,
                    Token::Property(_) => {}
                }
            }
        })
    }
}

/// A property.
#[derive(Clone, Copy, Debug)]
pub struct Property<'a> {
    strings: &'a [u8],
    name_offset: u32,
    /// The value.
    pub value: &'a [u8],
}

impl<'a> Property<'a> {
    /// The name.
    pub fn name(&self) -> &'a [u8] {
        self.strings.get(self.name_offset as usize..).and_then(until_nul).unwrap_or_default()
    }
}

enum Token<'a> {
    Begin(&'a [u8]),
    End,
    Property(Property<'a>),
}

/// The rest of the structure block from some token on.
#[derive(Clone, Copy, Debug)]
struct Cursor<'a> {
    tree: Tree<'a>,
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// Takes the next token that is not a NOP; none if it is broken or the end of the tree.
    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            match self.word()? {
                BEGIN_NODE => {
                    let name = until_nul(self.rest)?;
                    self.skip(name.len().checked_add(1)?)?;
                    return Some(Token::Begin(name));
                }
                END_NODE => return Some(Token::End),
                PROPERTY => {
                    let length = self.word()? as usize;
                    let name_offset = self.word()?;
                    let value = self.rest.get(..length)?;
                    self.skip(length)?;
                    return Some(Token::Property(Property { strings: self.tree.strings, name_offset, value }));
                }
                NOP => {}
                _ => return None,
            }
        }
    }

    fn word(&mut self) -> Option<u32> {
        let (word, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(u32::from_be_bytes(*word))
    }

    /// Takes `length` bytes off and what fills them up to whole words.
    fn skip(&mut self, length: usize) -> Option<()> {
        self.rest = self.rest.get(length.checked_next_multiple_of(4)?..)?;
        Some(())
    }
}

/// The big-endian 32-bit word at `offset`.
pub fn be32(data: &[u8], offset: usize) -> Option<u32> {
    data.get(offset..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

fn until_nul(bytes: &[u8]) -> Option<&[u8]> {
    let length = bytes.iter().position(|byte| *byte == 0)?;
    bytes.get(..length)
}

//! A disk of the bundle: what a VM has, and where its bytes are.

use portcullis_abi::{bundle, map};
use portcullis_tree::Node;

use super::{LinkError, cells, name};
use crate::header::Images;
use crate::property::{string, utf8};

/// A disk, each part of which has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk<'a> {
    /// Its name.
    pub name: &'a str,
    /// Number of the VM that has it.
    pub vm: usize,
    /// Slot of its virtio transport, below [`map::VIRTIO_SLOTS`].
    pub slot: usize,
    /// Bytes of a block, of which its size is a multiple.
    pub block: u32,
    /// Where its bytes are.
    pub source: Source<'a>,
}

/// Where the bytes of a disk are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source<'a> {
    /// In the bundle: these, which are only read.
    Image(&'a [u8]),
    /// In so many bytes of RAM that nobody else has.
    Scratch(u64),
    /// With another VM.
    Served(Export<'a>),
}

/// What another VM serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Export<'a> {
    /// The number of that VM.
    pub server: usize,
    /// Bytes of the disk; what is served may have more.
    pub size: u64,
    /// It is only read.
    pub read_only: bool,
    /// What the server calls it.
    pub name: &'a str,
    /// Milliseconds after which a request has failed.
    pub timeout: u32,
}

/// The properties of a disk, as they are found.
#[derive(Default)]
struct Found<'a> {
    client: Option<[u32; 2]>,
    image: Option<&'a [u8]>,
    scratch: bool,
    server: Option<u32>,
    size: Option<u64>,
    block: Option<u32>,
    read_only: bool,
    export: Option<&'a str>,
    timeout: Option<u32>,
}

impl<'a> Disk<'a> {
    /// Reads the node of a disk in a bundle with so many VMs, and these images.
    pub(crate) fn parse(node: &Node<'a>, vms: usize, images: Images<'a>) -> Result<Self, LinkError> {
        let found = Found::read(node, images)?;
        let [vm, slot] = found.client.ok_or(LinkError::Missing(bundle::CLIENT))?.map(|cell| cell as usize);
        if vm >= vms {
            return Err(LinkError::NoVm(vm));
        }
        if slot >= map::VIRTIO_SLOTS {
            return Err(LinkError::NoSlot(slot));
        }
        let block = found.block.unwrap_or(bundle::BLOCKS[0]);
        if !bundle::BLOCKS.contains(&block) {
            return Err(LinkError::Block(block));
        }
        let disk = Self { name: name(node)?, vm, slot, block, source: found.source()? };
        let size = disk.size();
        if size == 0 || !size.is_multiple_of(block.into()) || size > bundle::DISK_MAX {
            return Err(LinkError::DiskSize { size, block });
        }
        match disk.source {
            Source::Served(Export { server, .. }) if server >= vms => Err(LinkError::NoVm(server)),
            Source::Served(Export { server, .. }) if server == vm => Err(LinkError::Same(vm)),
            _ => Ok(disk),
        }
    }

    /// Bytes of the disk.
    pub const fn size(&self) -> u64 {
        match self.source {
            Source::Image(bytes) => bytes.len() as u64,
            Source::Scratch(size) => size,
            Source::Served(Export { size, .. }) => size,
        }
    }

    /// Number of the VM that serves it, if one does.
    pub const fn server(&self) -> Option<usize> {
        match self.source {
            Source::Served(Export { server, .. }) => Some(server),
            Source::Image(_) | Source::Scratch(_) => None,
        }
    }

    /// Checks it against one before it.
    pub(crate) fn fits(&self, other: &Self) -> Result<(), LinkError> {
        match other.name == self.name {
            true => Err(LinkError::Name),
            false => Ok(()),
        }
    }
}

impl<'a> Found<'a> {
    fn read(node: &Node<'a>, images: Images<'a>) -> Result<Self, LinkError> {
        let mut found = Self::default();
        for property in node.properties() {
            let value = property.value;
            match utf8(property.name()) {
                bundle::CLIENT => found.client = Some(cells(bundle::CLIENT, value)?),
                bundle::IMAGE => {
                    found.image = Some(images.find(value).ok_or(LinkError::Malformed(bundle::IMAGE))?);
                }
                bundle::SCRATCH if value.is_empty() => found.scratch = true,
                bundle::SERVER => found.server = Some(cells::<1>(bundle::SERVER, value)?[0]),
                bundle::SIZE => {
                    let bytes = value.try_into().map_err(|_| LinkError::Malformed(bundle::SIZE))?;
                    found.size = Some(u64::from_be_bytes(bytes));
                }
                bundle::BLOCK => found.block = Some(cells::<1>(bundle::BLOCK, value)?[0]),
                bundle::READ_ONLY if value.is_empty() => found.read_only = true,
                bundle::EXPORT => {
                    let text = string(bundle::EXPORT, value).ok().filter(|text| text.len() <= bundle::EXPORT_MAX);
                    found.export = Some(text.ok_or(LinkError::Malformed(bundle::EXPORT))?);
                }
                bundle::TIMEOUT => found.timeout = Some(cells::<1>(bundle::TIMEOUT, value)?[0]),
                _ => return Err(LinkError::Unknown),
            }
        }
        match node.children().next() {
            Some(_) => Err(LinkError::Unknown),
            None => Ok(found),
        }
    }

    /// Where its bytes are, by what there is of it and nothing else.
    fn source(&self) -> Result<Source<'a>, LinkError> {
        let Self { image, scratch, server, size, read_only, export, timeout, .. } = *self;
        if server.is_none() && (read_only || export.is_some() || timeout.is_some()) {
            // What is said of a server that it has not.
            return Err(if image.is_none() && !scratch { LinkError::Source } else { LinkError::Unknown });
        }
        let sized = || size.ok_or(LinkError::Missing(bundle::SIZE));
        match (image, scratch, server) {
            (Some(_), false, None) if size.is_some() => Err(LinkError::Unknown),
            (Some(bytes), false, None) => Ok(Source::Image(bytes)),
            (None, true, None) => Ok(Source::Scratch(sized()?)),
            (None, false, Some(server)) => {
                let timeout = timeout.ok_or(LinkError::Missing(bundle::TIMEOUT))?;
                if !(bundle::TIMEOUT_MIN..=bundle::TIMEOUT_MAX).contains(&timeout) {
                    return Err(LinkError::Timeout(timeout));
                }
                let (server, name) = (server as usize, export.unwrap_or_default());
                Ok(Source::Served(Export { server, size: sized()?, read_only, name, timeout }))
            }
            _ => Err(LinkError::Source),
        }
    }
}

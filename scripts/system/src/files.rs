//! The files of a VM: found, read once and recognised.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use portcullis_abi::map::FLASH_BANK;
use portcullis_bundle::fits_flash;
use portcullis_bundle::image::foreign::{Foreign, foreign};
use toml::Spanned;

use super::diagnostic::Diagnostics;
use super::draft::Draft;
use super::image::Image;
use super::key::{nearest, quoted};
use super::{flash, memory};

/// The guests that the project knows by name.
pub trait Images {
    /// Every known name, for messages.
    fn names(&self) -> Vec<String>;

    /// The kernel of the guest `name`; none if no guest has this name.
    ///
    /// # Errors
    ///
    /// Why the kernel of this known guest cannot be had.
    fn kernel(&self, name: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>>;

    /// The initial RAM disk of the guest `name`; none if no guest has this name, or if it needs none.
    ///
    /// # Errors
    ///
    /// Why the RAM disk of this known guest cannot be had.
    fn initrd(&self, name: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>>;

    /// What the guest `name` has in its flash; none if no guest has this name, or if it starts elsewhere.
    ///
    /// # Errors
    ///
    /// Why the file of this known guest cannot be had.
    fn flash(&self, _name: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>> {
        Ok(None)
    }

    /// Every known image of a disk, for messages.
    fn disks(&self) -> Vec<String> {
        Vec::new()
    }

    /// The image of a disk called `name`; none if no such image is known.
    ///
    /// # Errors
    ///
    /// Why this known image cannot be had.
    fn disk(&self, _name: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>> {
        Ok(None)
    }
}

/// What files are called that the project knows by name: the singular, and the names.
struct Names(&'static str, Vec<String>);

/// The most that a file may have, and what is right if it has more.
struct Most<'a> {
    bytes: u64,
    whose: &'a str,
    help: String,
}

/// Loads the files that `draft` names. Relative paths start at `folder`.
pub fn load(draft: &mut Draft, folder: &Path, images: &dyn Images, diagnostics: &mut Diagnostics<'_>) {
    flash(draft, folder, images, diagnostics);
    if draft.store.is_some() {
        return;
    }
    let bytes = draft.memory.as_ref().map_or(u64::MAX, |memory| *memory.get_ref());
    let help = format!("give the VM more than memory = {:?}, or a smaller file", memory::form(bytes));
    let limit = &Most { bytes, whose: "the VM's memory", help };
    let kernel = |name: &str| images.kernel(name);
    let initrd = |name: &str| images.initrd(name);
    let Some(image) = draft.image.clone() else {
        // What starts in flash may have a RAM disk all the same.
        let disk = draft
            .initrd
            .clone()
            .zip(draft.initrd.as_ref().and_then(|own| find(own, folder, guests(images), initrd, diagnostics)));
        let disk = disk.and_then(|(own, path)| read(&own, path, limit, diagnostics));
        draft.ramdisk = disk.map(|(path, bytes)| Image { path, bytes });
        return;
    };

    let file = find(&image, folder, guests(images), kernel, diagnostics);
    let kernel = file.and_then(|path| read(&image, path, limit, diagnostics));
    draft.kernel = kernel.and_then(|(path, bytes)| {
        if let Some(&Foreign { what, help }) = foreign(&bytes) {
            diagnostics.error(image.span(), format!("{:?} is {what}", image.get_ref()), help);
            return None;
        }
        Some(Image { path, bytes })
    });

    // A known guest brings its own RAM disk, unless the manifest names another.
    let (place, file) = match draft.initrd.clone() {
        Some(own) => {
            let file = find(&own, folder, guests(images), initrd, diagnostics);
            (own, file)
        }
        None => {
            let file = images.initrd(image.get_ref()).unwrap_or_else(|error| {
                not_ready("guest", &image, &*error, diagnostics);
                None
            });
            (image.clone(), file)
        }
    };
    let initrd = file.and_then(|path| read(&place, path, limit, diagnostics));
    draft.ramdisk = initrd.map(|(path, bytes)| Image { path, bytes });
}

/// Loads the files of its flash.
fn flash(draft: &mut Draft, folder: &Path, images: &dyn Images, diagnostics: &mut Diagnostics<'_>) {
    let Some(wanted) = &mut draft.flash else { return };
    for name in wanted.names.iter().take(2).filter(|name| !name.get_ref().is_empty()) {
        let known = |name: &str| images.flash(name);
        let Some(path) = find(name, folder, guests(images), known, diagnostics) else { continue };
        let shown = path.display().to_string();
        let size = fs::metadata(&path).ok().filter(|metadata| metadata.is_file()).map_or(0, |metadata| metadata.len());
        if !fits_flash(size) {
            flash::wrong_size(name, &shown, size, diagnostics);
            continue;
        }
        // No larger one fits a bank.
        let limit = Most { bytes: FLASH_BANK, whose: "a bank", help: String::new() };
        let file = read(name, path, &limit, diagnostics);
        wanted.files.extend(file.map(|(path, bytes)| Image { path, bytes }));
    }
}

/// The image of a disk that `name` stands for, on a board with so many bytes of RAM.
pub fn disk(
    name: &Spanned<String>,
    ram: u64,
    folder: &Path,
    images: &dyn Images,
    diagnostics: &mut Diagnostics<'_>,
) -> Option<Image> {
    let path = find(name, folder, Names("disk image", images.disks()), |name| images.disk(name), diagnostics)?;
    let help = "the bundle with it has to lie in RAM; have another VM serve it, or take a smaller one".to_owned();
    let (path, bytes) = read(name, path, &Most { bytes: ram, whose: "the board's RAM", help }, diagnostics)?;
    Some(Image { path, bytes })
}

fn guests(images: &dyn Images) -> Names {
    Names("guest", images.names())
}

/// The path of the file that `name` stands for: a known guest's, or its own.
fn find(
    name: &Spanned<String>,
    folder: &Path,
    Names(noun, names): Names,
    known: impl Fn(&str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>>,
    diagnostics: &mut Diagnostics<'_>,
) -> Option<PathBuf> {
    let text = name.get_ref();
    match known(text) {
        Ok(Some(path)) => return Some(path),
        Ok(None) => {}
        Err(error) => {
            not_ready(noun, name, &*error, diagnostics);
            return None;
        }
    }
    let path = folder.join(text);
    // Anything but a plain no is for the reader of the file to tell.
    if path.try_exists().unwrap_or(true) {
        return Some(path);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let help = match nearest(text, &names) {
        Some(near) if near == text => format!("the known {noun} {near:?} has no such file; name one"),
        Some(near) if !text.contains('/') => format!("did you mean the known {noun} {near:?}?"),
        _ if names.is_empty() => "paths start at the manifest's folder".to_owned(),
        _ => format!("paths start at the manifest's folder; the known {noun}s are {}", quoted(&names)),
    };
    diagnostics.error(name.span(), format!("there is no file {:?}", path.display().to_string()), help);
    None
}

fn not_ready(noun: &str, name: &Spanned<String>, error: &(dyn Error + 'static), diagnostics: &mut Diagnostics<'_>) {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    let help = "run scripts/setup, or name a file instead";
    diagnostics.error(name.span(), format!("the files of the known {noun} {:?}: {text}", name.get_ref()), help);
}

/// Reads the file at `path`, unless its kind or its size shows that it cannot be right.
fn read(
    name: &Spanned<String>,
    path: PathBuf,
    limit: &Most<'_>,
    diagnostics: &mut Diagnostics<'_>,
) -> Option<(PathBuf, Vec<u8>)> {
    let shown = format!("{:?}", path.display().to_string());
    let mut wrong = |message: String, help: &str| {
        diagnostics.error(name.span(), message, help);
        None
    };
    let unreadable = |error| format!("{shown} cannot be read: {error}");
    let metadata = match fs::metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) => return wrong(unreadable(error), "name a file that can be read"),
    };
    if metadata.is_dir() {
        return wrong(format!("{shown} is a folder"), "name a file in it");
    }
    // Reading a pipe or a device might never end.
    if !metadata.is_file() {
        return wrong(format!("{shown} is not a regular file"), "name a regular file");
    }
    if metadata.len() == 0 {
        return wrong(format!("{shown} is empty"), "name a file with content; was it written completely?");
    }
    let Most { bytes, whose, help } = limit;
    if metadata.len() > *bytes {
        return wrong(format!("{shown} has {}, more than {whose}", memory::show(metadata.len())), help);
    }
    match fs::read(&path) {
        Ok(bytes) => Some((path, bytes)),
        Err(error) => wrong(unreadable(error), "name a file that can be read"),
    }
}

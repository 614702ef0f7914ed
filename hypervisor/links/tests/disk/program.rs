//! The servers that people have, as child processes: nbdkit, qemu-nbd and nbd-server. `scripts/setup --nbd` installs them.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a test waits for a server that does not come, or says nothing, before it fails.
pub const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Program {
    Nbdkit,
    QemuNbd,
    NbdServer,
}

pub const PROGRAMS: [Program; 3] = [Program::Nbdkit, Program::QemuNbd, Program::NbdServer];

/// A server at work, which ends with this.
pub struct Server {
    pub child: Child,
    pub stream: UnixStream,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder of a test's own, with the file that is served.
pub struct Place(pub PathBuf);

impl Place {
    pub fn new(test: &str, content: &[u8]) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("disk.img"), content).unwrap();
        Self(folder)
    }

    pub fn file(&self) -> PathBuf {
        self.0.join("disk.img")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Starts a program whose standard input and output are the other end of the stream.
pub fn at_a_pair(command: &mut Command) -> Server {
    let (stream, other) = UnixStream::pair().unwrap();
    let output = Stdio::from(OwnedFd::from(other.try_clone().unwrap()));
    let name = command.get_program().to_owned();
    let child = command.stdin(Stdio::from(OwnedFd::from(other))).stdout(output).spawn();
    let child = child.unwrap_or_else(|error| panic!("{}: {error}; scripts/setup --nbd installs it", name.display()));
    Server { child, stream }
}

/// Starts a server of a file, by the command lines that docs/links.md has, but for socat.
pub fn serve(program: Program, place: &Place, more: &[&str]) -> Server {
    let server = match program {
        Program::Nbdkit => at_a_pair(Command::new("nbdkit").arg("-s").args(more).arg("file").arg(place.file())),
        // Debian's own configuration has it run as a user who may not write the file.
        Program::NbdServer => {
            let config = place.0.join("config");
            fs::write(&config, "[generic]\n").unwrap();
            at_a_pair(Command::new("nbd-server").arg("-C").arg(config).args(["-d", "0"]).arg(place.file()).args(more))
        }
        Program::QemuNbd => {
            let socket = place.0.join("socket");
            let _ = fs::remove_file(&socket);
            let mut command = Command::new("qemu-nbd");
            command.args(["-t", "-f", "raw"]).args(more).arg("-k").arg(&socket).arg(place.file());
            let mut child = command.spawn().expect("qemu-nbd starts; scripts/setup --nbd installs it");
            let start = Instant::now();
            let stream = loop {
                if let Ok(stream) = UnixStream::connect(&socket) {
                    break stream;
                }
                assert!(child.try_wait().unwrap().is_none(), "qemu-nbd ended");
                assert!(start.elapsed() < PATIENCE, "qemu-nbd does not listen");
                std::thread::sleep(Duration::from_millis(2));
            };
            Server { child, stream }
        }
    };
    server.stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    server.stream.set_write_timeout(Some(Duration::from_millis(1))).unwrap();
    server
}

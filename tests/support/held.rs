//! A build that is stopped at a certain moment: its temporary files are there, and no file has its name yet.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use super::{run, succeed};

/// A build whose Make rule goes to a pipe that nobody reads. What goes to a pipe is sent when all files are complete under
/// their temporary names, so the build waits there until it is let go or ended.
pub struct Held {
    child: Child,
    pipe: PathBuf,
    reader: Option<File>,
}

impl Held {
    /// Starts `build` with `-M` in `folder`, and waits until it has begun to write to `out`.
    pub fn start(build: &mut Command, folder: &Path, out: &Path) -> Held {
        let pipe = tempfile::Builder::new()
            .prefix("pipe-")
            .make_in(folder, |path| {
                succeed(Command::new("mkfifo").arg(path));
                Ok(())
            });
        let (_, pipe) = pipe.unwrap().keep().unwrap();
        let before = temporaries(out).len();
        build.arg("-M").arg(&pipe);
        let child = build.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = child.spawn().unwrap();
        while temporaries(out).len() <= before {
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "{build:?} ended: {ended:?}");
            thread::sleep(Duration::from_millis(1));
        }
        Held {
            child,
            pipe,
            reader: None,
        }
    }

    /// Sends a signal, such as `-TERM`, and waits for the end.
    pub fn end(mut self, signal: &str) -> ExitStatus {
        run(Command::new("kill").args([signal, &self.child.id().to_string()]));
        self.child.wait().unwrap()
    }

    /// Lets the build go on. Its rule fits into the pipe.
    pub fn let_go(&mut self) {
        // For both ways, since to open it to read alone would wait for a writer.
        let both = File::options().read(true).write(true).open(&self.pipe);
        self.reader = Some(both.unwrap());
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.pipe);
    }
}

pub fn is_temporary(name: &str) -> bool {
    name.starts_with(".fastlua-")
}

/// The names of the temporary files in a folder.
pub fn temporaries(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| is_temporary(name)).collect()
}

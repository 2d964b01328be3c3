//! esptool, the judge of images: `scripts/esptool` installs it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use fastlua_image::{Algorithm, Checksum};

/// What esptool says of a checksum, a hash and a CRC32; none where the image has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    pub checksum: Option<bool>,
    pub sha256: Option<bool>,
    pub crc32: Option<bool>,
}

impl Verdict {
    /// The same of our own `verify`.
    pub fn ours(checksums: &[(Checksum, bool)]) -> Verdict {
        let of = |check| {
            let checksum = checksums
                .iter()
                .find(|(checksum, _)| checksum.algorithm == check);
            checksum.map(|(_, right)| *right)
        };
        Verdict {
            checksum: of(Algorithm::Xor),
            sha256: of(Algorithm::Sha256),
            crc32: of(Algorithm::Crc32),
        }
    }

    /// None where esptool can't read the image.
    fn read(line: &str) -> Option<Verdict> {
        let word = |word: &str| match word {
            "valid" => Some(true),
            "invalid" => Some(false),
            _ => None,
        };
        match *line.split(' ').collect::<Vec<_>>() {
            [checksum, hash, crc] => Some(Verdict {
                checksum: word(checksum),
                sha256: word(hash),
                crc32: word(crc),
            }),
            _ => None,
        }
    }

    pub fn all_right(self) -> bool {
        let [a, b, c] = [self.checksum, self.sha256, self.crc32];
        a == Some(true) && b != Some(false) && c != Some(false)
    }
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{text}\n{errors}");
    text
}

/// The Python that has esptool.
fn python() -> Command {
    static PYTHON: OnceLock<String> = OnceLock::new();
    let python = PYTHON.get_or_init(|| {
        // the root is above this crate, and is the library's own folder
        let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
        let mut scripts = above.map(|folder| folder.join("scripts/esptool"));
        let script = scripts.find(|script| script.exists());
        let script = script.expect("the repository has scripts/esptool");
        output(&mut Command::new(script)).trim().to_owned()
    });
    Command::new(python)
}

/// Runs `esptool` or `espsecure` in a folder.
pub fn run(folder: &Path, program: &str, arguments: &str) -> String {
    let mut command = python();
    command.args(["-m", program]).current_dir(folder);
    output(command.args(arguments.split_whitespace()))
}

/// The files that `elf2image` makes of an ELF file, by name.
pub fn elf2image(chip: &str, arguments: &str, elf: &[u8]) -> Vec<(String, Vec<u8>)> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.elf"), elf).unwrap();
    let arguments = format!("--chip {chip} elf2image {arguments} -o out in.elf");
    run(folder.path(), "esptool", &arguments);
    let files = fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap());
    let mut made: Vec<(String, Vec<u8>)> = files
        .map(|file| (file.file_name().into_string().unwrap(), file.path()))
        .filter(|(name, _)| name.starts_with("out"))
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .collect();
    made.sort();
    made
}

/// What esptool says of each image, all of which it can read.
pub fn judge(chip: &'static str, images: &[Vec<u8>]) -> Vec<Verdict> {
    let asks = images.iter().enumerate().map(|(n, image)| Ask {
        chip,
        image: image.clone(),
        what: format!("image {n}"),
    });
    let asks: Vec<Ask> = asks.collect();
    let verdicts = judge_each(&asks).into_iter().zip(&asks);
    let read = |(verdict, ask): (Option<Verdict>, &Ask)| {
        verdict.unwrap_or_else(|| panic!("esptool can't read {}", ask.what))
    };
    verdicts.map(read).collect()
}

/// An image that esptool is asked about.
pub struct Ask {
    pub chip: &'static str,
    pub image: Vec<u8>,
    pub what: String,
}

/// What esptool says of each image, in one process; none where it can't read it.
pub fn judge_each(asks: &[Ask]) -> Vec<Option<Verdict>> {
    let folder = tempfile::tempdir().unwrap();
    let mut list = String::new();
    for (n, ask) in asks.iter().enumerate() {
        fs::write(folder.path().join(format!("{n}")), &ask.image).unwrap();
        list += &format!("{} {n}\n", ask.chip);
    }
    fs::write(folder.path().join("list"), list).unwrap();
    let mut command = python();
    command.args(["-c", include_str!("judge.py")]);
    let text = output(command.current_dir(folder.path()));
    let verdicts: Vec<Option<Verdict>> = text.lines().map(Verdict::read).collect();
    assert_eq!(verdicts.len(), asks.len());
    verdicts
}

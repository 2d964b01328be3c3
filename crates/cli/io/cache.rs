//! What `build --cache` keeps: for each build that differs in any way a file with the report and the outputs.
//!
//! Such an entry is named by the SHA-256 of all that the build depends on. In it are the outputs' bytes, then the report and the
//! outputs' names and sizes as JSON, then the JSON's length, the XXH3 of all that is before it, and a mark. Between outputs and
//! JSON are the build's chunks (`chunks.rs`). It gets its name when
//! it is complete, and is checked when it is used: a damaged entry counts as missing. The sum is no secret, and a cache may be
//! shared: an entry counts only if its outputs and its report are those that this build expects.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};
use fastlua::{BuildReport, Plan};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use xxhash_rust::xxh3::Xxh3;

use crate::io::changed::STEP;
use crate::io::chunks::Chunks;
use crate::io::output;
use crate::io::temporary::{self, Replacement, Temporary};

/// The shape of entries, which is also the mark at their end.
const SHAPE: &[u8; 8] = b"fastlua2";

/// Bytes of the largest entry, and of the largest JSON in one.
const LARGEST: u64 = 4 << 30;
const LARGEST_INDEX: u64 = 256 << 20;

/// Bytes of what follows the JSON.
const TAIL: u64 = 8 + 16 + 8;

/// How many entries are searched for chunks: those that were used last.
const SEARCHED: usize = 16;

/// What distinguishes this program from others.
pub type Program = [u8; 16];

/// A folder with entries.
pub struct Cache {
    folder: PathBuf,
    /// Bytes that they may take.
    limit: u64,
    /// XXH3 of this program.
    program: Program,
}

/// A build's report and its outputs.
pub struct Entry {
    pub report: BuildReport,
    outputs: Vec<Output>,
    file: RefCell<File>,
}

#[derive(Serialize, Deserialize)]
struct Output {
    name: String,
    bytes: u64,
}

#[derive(Serialize, Deserialize)]
struct Index {
    report: BuildReport,
    outputs: Vec<Output>,
    /// Bytes of the chunks and their list.
    chunks: u64,
}

impl Cache {
    /// The cache in a folder, which is made if there is none.
    ///
    /// # Errors
    /// The folder can't be made, or the program's own file can't be read.
    pub fn new(folder: &Path, limit: u64) -> Result<Cache> {
        output::make_folder("--cache", folder)?;
        let program = program().context("can't find the program's own file")?;
        let folder = folder.to_owned();
        Ok(Cache {
            folder,
            limit,
            program,
        })
    }

    /// The name of the entry for a plan and what is made of it.
    pub fn name(&self, plan: &Plan, outputs: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(SHAPE);
        hash.update(self.program);
        hash.update(plan.digest());
        hash.update(outputs);
        base16ct::lower::encode_string(&hash.finalize())
    }

    /// The entry of that name, if it is there and whole, has these outputs, each once, and a report that can be on this plan.
    pub fn find(&self, name: &str, outputs: &BTreeSet<String>, plan: &Plan) -> Option<Entry> {
        let path = self.folder.join(name);
        let about = fs::symlink_metadata(&path).ok()?;
        if !about.is_file() || about.len() > LARGEST {
            return None;
        }
        let entry = Entry::read(File::open(path).ok()?).ok()?;
        let names: BTreeSet<&String> = entry.outputs.iter().map(|output| &output.name).collect();
        let is_expected = names.len() == entry.outputs.len() && names.into_iter().eq(outputs);
        if !is_expected || !entry.report.is_of(plan) {
            return None;
        }
        // which one was used last
        let _ = entry.file.borrow().set_modified(SystemTime::now());
        Some(entry)
    }

    /// The chunks of the entries that were used last.
    pub fn chunks(&self) -> Chunks {
        let mut entries = self.entries();
        entries.sort_by_key(|(used, ..)| std::cmp::Reverse(*used));
        let paths = entries.into_iter().map(|(_, _, path)| path);
        let open = paths.filter_map(|path| end_of_chunks(&path).ok());
        Chunks::of(&self.folder, self.program, open.take(SEARCHED))
    }

    /// Adds an entry with these outputs, `report` being called after them, and chunks, and reads it back. Those that were not used for the
    /// longest time go, until the others and this one are within the limit.
    ///
    /// # Errors
    /// It can't be written.
    pub fn add<'a>(
        &self,
        name: &str,
        outputs: impl Iterator<Item = (&'a str, output::Contents<'a>)>,
        report: impl FnOnce() -> BuildReport,
        chunks: &Chunks,
    ) -> io::Result<Entry> {
        let (file, temporary) = Temporary::file(&self.folder)?;
        let mut out = Hashed::new(BufWriter::with_capacity(STEP, file));
        let mut written = Vec::new();
        for (name, contents) in outputs {
            let before = out.bytes;
            contents(&mut out)?;
            written.push(Output {
                name: name.into(),
                bytes: out.bytes - before,
            });
        }
        let chunks = chunks.write_to(out.bytes, &mut out)?;
        let before = out.bytes;
        let index = Index {
            report: report(),
            outputs: written,
            chunks,
        };
        serde_json::to_writer(&mut out, &index)?;
        let length = out.bytes - before;
        out.write_all(&length.to_le_bytes())?;
        let (mut file, hash) = (out.out, out.hash.digest128());
        file.write_all(&hash.to_le_bytes())?;
        file.write_all(SHAPE)?;
        file.into_inner().map_err(io::IntoInnerError::into_error)?;
        let place = self.folder.join(name);
        let entry = Replacement {
            temporary,
            target: place.clone(),
            in_place: false,
        };
        temporary::persist(vec![entry]).map_err(|(_, error)| error)?;
        let entry = Entry::read(File::open(&place)?)?;
        self.clear(name);
        Ok(entry)
    }

    /// Keeps the entries within the limit, but for this one, as well as it can.
    fn clear(&self, newest: &str) {
        temporary::clear(&self.folder);
        let mut entries = self.entries();
        let sizes = entries.iter().map(|(_, bytes, _)| *bytes);
        let mut all = sizes.fold(0, u64::saturating_add);
        entries.retain(|(_, _, path)| !path.ends_with(newest));
        entries.sort();
        for (_, bytes, path) in entries {
            if all <= self.limit {
                break;
            }
            if fs::remove_file(path).is_ok() {
                all = all.saturating_sub(bytes);
            }
        }
    }

    /// When each entry was used last, its size, and its path.
    fn entries(&self) -> Vec<(SystemTime, u64, PathBuf)> {
        let files = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let entries = files.filter(|file| file.file_name().to_str().is_some_and(is_entry));
        let about = entries.filter_map(|file| {
            let about = file.metadata().ok()?;
            let used = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            Some((used, about.len(), file.path()))
        });
        about.collect()
    }
}

/// An entry, opened, and the offset at which the list of its chunks ends and its JSON begins.
fn end_of_chunks(path: &Path) -> io::Result<(File, u64)> {
    let damaged = || io::Error::other("not a cache entry");
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(damaged());
    }
    let mut file = File::open(path)?;
    let end = file.seek(SeekFrom::End(-(TAIL as i64)))?;
    let mut tail = [0; TAIL as usize];
    file.read_exact(&mut tail)?;
    let (length, rest) = tail.split_at(8);
    let length = length
        .try_into()
        .map(u64::from_le_bytes)
        .unwrap_or(u64::MAX);
    match rest.ends_with(SHAPE) {
        true => Ok((file, end.checked_sub(length).ok_or_else(damaged)?)),
        false => Err(damaged()),
    }
}

impl Entry {
    fn read(mut file: File) -> io::Result<Entry> {
        let damaged = || io::Error::other("the cache entry is damaged");
        let end = file
            .metadata()?
            .len()
            .checked_sub(TAIL)
            .ok_or_else(damaged)?;
        let mut hashed = Hashed::new(io::sink());
        io::copy(&mut Read::take(&mut file, end + 8), &mut hashed)?;
        let mut tail = [0; 16 + 8];
        file.read_exact(&mut tail)?;
        if tail[..16] != hashed.hash.digest128().to_le_bytes() || tail[16..] != *SHAPE {
            return Err(damaged());
        }
        file.seek(SeekFrom::Start(end))?;
        let mut length = [0; 8];
        file.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        file.seek(SeekFrom::Start(
            end.checked_sub(length).ok_or_else(damaged)?,
        ))?;
        if length > LARGEST_INDEX {
            return Err(damaged());
        }
        let mut index = Vec::new();
        Read::take(&mut file, length).read_to_end(&mut index)?;
        let Index {
            report,
            outputs,
            chunks,
        } = serde_json::from_slice(&index)?;
        let sum = outputs
            .iter()
            .try_fold(chunks, |sum: u64, output| sum.checked_add(output.bytes));
        if sum != Some(end - length) {
            return Err(damaged());
        }
        Ok(Entry {
            report,
            outputs,
            file: RefCell::new(file),
        })
    }

    /// The outputs, by name.
    pub fn outputs(&self) -> impl Iterator<Item = (&str, output::Contents<'_>)> {
        let mut place = 0;
        self.outputs.iter().map(move |output| {
            let (start, bytes) = (place, output.bytes);
            place += bytes;
            let copy: output::Contents = Box::new(move |out| self.copy(start, bytes, out));
            (&*output.name, copy)
        })
    }

    fn copy(&self, start: u64, bytes: u64, out: &mut dyn Write) -> io::Result<()> {
        let mut file = self.file.borrow_mut();
        file.seek(SeekFrom::Start(start))?;
        let copied = io::copy(&mut Read::take(&mut *file, bytes), out)?;
        match copied == bytes {
            true => Ok(()),
            false => Err(io::Error::other("the cache entry was truncated")),
        }
    }
}

fn program() -> io::Result<Program> {
    let mut file = File::open(std::env::current_exe()?)?;
    let mut hashed = Hashed::new(io::sink());
    let mut buffer = vec![0; STEP];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hashed.hash.digest128().to_le_bytes()),
            n => hashed.write_all(&buffer[..n])?,
        }
    }
}

/// Whether a file of this name is an entry.
fn is_entry(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Counts and hashes what goes through it.
struct Hashed<W> {
    out: W,
    hash: Xxh3,
    bytes: u64,
}

impl<W> Hashed<W> {
    fn new(out: W) -> Hashed<W> {
        Hashed {
            out,
            hash: Xxh3::new(),
            bytes: 0,
        }
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.out.write(bytes)?;
        self.hash.update(&bytes[..n]);
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

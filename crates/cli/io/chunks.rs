//! The chunks in the cache of `build --cache`: each entry has those of its build, so that another build compiles only what no
//! entry has.
//!
//! They stand behind the entry's outputs: the chunks' bytes, then for each the hash of all it depends on, its offset in the entry,
//! its length and its XXH3, sorted by the first; then the number of chunks and the XXH3 of this list.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fastlua::ChunkCache;
use sha2::{Digest, Sha256};
use xxhash_rust::xxh3::xxh3_64;

use crate::io::cache::Program;
use crate::io::temporary::Temporary;

type Key = [u8; 32];

/// Bytes of a chunk's place in the list.
const PLACE: u64 = 32 + 3 * 8;

/// Bytes of what follows the list.
pub const TAIL: u64 = 2 * 8;

/// Most chunks of an entry whose list is read.
const MOST: u64 = 1 << 20;

/// Where the bytes of a chunk are.
#[derive(Clone, Copy)]
struct Place {
    /// The entry, by its place among those that are open; none for the new chunks.
    entry: Option<usize>,
    offset: u64,
    length: u64,
    hash: u64,
}

/// The chunks of earlier builds, and those of this one.
pub struct Chunks {
    /// For a temporary file.
    folder: PathBuf,
    /// This program, on which all chunks depend.
    program: Program,
    entries: Vec<Mutex<File>>,
    there: HashMap<Key, Place>,
    new: Mutex<New>,
}

/// The chunks of this build.
struct New {
    used: BTreeMap<Key, Place>,
    /// Those that no entry has; none as long as there are none.
    file: Option<(BufWriter<File>, Temporary)>,
    length: u64,
    /// Why they can't be written.
    error: Option<io::Error>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Chunks {
    /// Those of these entries of a folder, each with the offset at which its list ends. One that can't be read has none.
    pub fn of(
        folder: &Path,
        program: Program,
        entries: impl Iterator<Item = (File, u64)>,
    ) -> Chunks {
        let mut chunks = Chunks {
            folder: folder.to_owned(),
            program,
            entries: Vec::new(),
            there: HashMap::new(),
            new: Mutex::new(New {
                used: BTreeMap::new(),
                file: None,
                length: 0,
                error: None,
            }),
        };
        for (mut file, end) in entries {
            let Ok(list) = list(&mut file, end) else {
                continue;
            };
            let entry = Some(chunks.entries.len());
            for (key, place) in list {
                chunks.there.entry(key).or_insert(Place { entry, ..place });
            }
            chunks.entries.push(Mutex::new(file));
        }
        chunks
    }

    fn of_program(&self, key: &Key) -> Key {
        Sha256::digest([&self.program[..], key].concat()).into()
    }

    /// How many chunks of this build an entry had.
    pub fn reused(&self) -> usize {
        let new = lock(&self.new);
        let places = new.used.values();
        places.filter(|place| place.entry.is_some()).count()
    }

    /// Writes all chunks of this build and their list. `start` is where that is in the entry; gives the length.
    ///
    /// # Errors
    /// They can't be read or written.
    pub fn write_to(&self, start: u64, out: &mut dyn Write) -> io::Result<u64> {
        let mut new = lock(&self.new);
        if let Some(error) = new.error.take() {
            return Err(error);
        }
        let New { used, file, .. } = &mut *new;
        if let Some((file, _)) = file {
            file.flush()?;
        }
        let mut list = Vec::new();
        let mut offset = start;
        for (key, place) in used {
            let bytes = match (place.entry, &mut *file) {
                (Some(entry), _) => read_at(&mut lock(&self.entries[entry]), place)?,
                (None, Some((file, _))) => read_at(file.get_mut(), place)?,
                (None, None) => return Err(io::Error::other("a chunk was not written")),
            };
            out.write_all(&bytes)?;
            list.extend(key.iter());
            for number in [offset, place.length, place.hash] {
                list.extend(number.to_le_bytes());
            }
            offset += place.length;
        }
        let count = list.len() as u64 / PLACE;
        out.write_all(&list)?;
        out.write_all(&count.to_le_bytes())?;
        out.write_all(&xxh3_64(&list).to_le_bytes())?;
        Ok(offset - start + list.len() as u64 + TAIL)
    }
}

impl ChunkCache for Chunks {
    fn get(&self, key: &Key) -> Option<Vec<u8>> {
        let key = self.of_program(key);
        let place = *self.there.get(&key)?;
        let bytes = read_at(&mut lock(&self.entries[place.entry?]), &place).ok()?;
        lock(&self.new).used.insert(key, place);
        Some(bytes)
    }

    fn put(&self, key: &Key, bytes: &[u8]) {
        let key = self.of_program(key);
        let mut new = lock(&self.new);
        if new.error.is_none()
            && let Err(error) = new.add(&self.folder, key, bytes)
        {
            new.error = Some(error);
        }
    }
}

impl New {
    fn add(&mut self, folder: &Path, key: Key, bytes: &[u8]) -> io::Result<()> {
        let (file, _) = match &mut self.file {
            Some(file) => file,
            none => {
                let (file, temporary) = Temporary::file(folder)?;
                none.insert((BufWriter::new(file), temporary))
            }
        };
        file.write_all(bytes)?;
        let place = Place {
            entry: None,
            offset: self.length,
            length: bytes.len() as u64,
            hash: xxh3_64(bytes),
        };
        self.length += place.length;
        self.used.insert(key, place);
        Ok(())
    }
}

/// The list of an entry, which ends at this offset.
fn list(file: &mut File, end: u64) -> io::Result<Vec<(Key, Place)>> {
    let damaged = || io::Error::other("the list of chunks is damaged");
    let tail = end.checked_sub(TAIL).ok_or_else(damaged)?;
    file.seek(SeekFrom::Start(tail))?;
    let [count, hash] = [number(file)?, number(file)?];
    if count > MOST || count * PLACE > tail {
        return Err(damaged());
    }
    let length = count * PLACE;
    file.seek(SeekFrom::Start(tail - length))?;
    let mut list = vec![0; length as usize];
    file.read_exact(&mut list)?;
    if xxh3_64(&list) != hash {
        return Err(damaged());
    }
    let mut left = &list[..];
    let mut places = Vec::with_capacity(count as usize);
    while !left.is_empty() {
        let mut key = [0; 32];
        left.read_exact(&mut key)?;
        let place = Place {
            entry: None,
            offset: number(&mut left)?,
            length: number(&mut left)?,
            hash: number(&mut left)?,
        };
        let is_within = place
            .offset
            .checked_add(place.length)
            .is_some_and(|end| end <= tail - length);
        if !is_within {
            return Err(damaged());
        }
        places.push((key, place));
    }
    Ok(places)
}

fn number(from: &mut impl Read) -> io::Result<u64> {
    let mut bytes = [0; 8];
    from.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

fn read_at(file: &mut File, place: &Place) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(place.offset))?;
    let mut bytes = Vec::new();
    Read::take(file, place.length).read_to_end(&mut bytes)?;
    match xxh3_64(&bytes) == place.hash && bytes.len() as u64 == place.length {
        true => Ok(bytes),
        false => Err(io::Error::other("a chunk in the cache is damaged")),
    }
}

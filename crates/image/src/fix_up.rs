//! Compares and recomputes checksums.

use std::ops::Range;

use crate::checksum::{inside, overlap};
use crate::{Checksum, Error, Image, Kind, Part};

/// The treatment of checksums that were wrong before the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wrong {
    /// The image is damaged: nothing is written.
    #[default]
    Refuse,
    /// They are set.
    Fix,
}

/// The checksums that were set after a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FixedUp {
    /// The checksums that cover the change, in the order in which they were set.
    pub checksums: Vec<Checksum>,
    /// Those that were wrong before.
    pub fixed: Vec<Checksum>,
}

impl Image {
    /// Recomputes the checksums that cover the bytes of `changed`, which the caller has changed since [`Image::read`]. Returns these
    /// checksums, changed or not. Other bytes stay unchanged. Outside of images nothing is set.
    ///
    /// # Errors
    /// The change is outside the file, in a part that is signed or can't be read, in a table of partitions, over a checksum, in two
    /// images that overlap, or changes values of the headers; or a checksum was wrong before. Nothing is written then.
    pub fn fix_up(
        &self,
        bytes: &mut [u8],
        changed: Range<usize>,
        wrong: Wrong,
    ) -> Result<FixedUp, Error> {
        let (end, len) = (changed.end.max(changed.start), self.len);
        if end > len {
            return Err(Error::Outside { end, len });
        }
        if bytes.len() != len {
            return Err(Error::Restructured);
        }
        let touched = self.touched(&changed)?;
        let checksums = touched.iter().flat_map(|part| &part.checksums);
        let fixed: Vec<Checksum> = checksums
            .copied()
            .filter(|g| self.wrong.contains(g))
            .collect();
        if let (Wrong::Refuse, Some(checksum)) = (wrong, fixed.first()) {
            return Err(Error::Damaged(*checksum));
        }
        let mut set = Vec::new();
        let mut before = Vec::new();
        for part in touched {
            for checksum in &part.checksums {
                if !part.covers(checksum, &changed) && !fixed.contains(checksum) {
                    continue;
                }
                if let (Some(due), Some(stored)) =
                    (part.due(checksum, bytes), bytes.get_mut(checksum.range()))
                {
                    before.push((checksum.range(), stored.to_vec()));
                    stored.copy_from_slice(&due);
                    set.push(*checksum);
                }
            }
        }
        if let Err(error) = self.reads_back(bytes, &changed, &set) {
            for (range, old) in before.into_iter().rev() {
                bytes[range].copy_from_slice(&old);
            }
            return Err(error);
        }
        Ok(FixedUp {
            checksums: set,
            fixed,
        })
    }

    /// The parts in which a change lies, inner ones first.
    fn touched(&self, changed: &Range<usize>) -> Result<Vec<&Part>, Error> {
        let parts = self.parts.iter();
        // what lies within the change is gone
        let mut touched: Vec<&Part> = parts
            .filter(|part| overlap(&part.range, changed) && !inside(&part.range, changed))
            .collect();
        touched.sort_by_key(|part| part.range.len());
        if let Some(protection) = touched.iter().find_map(|part| part.protection.clone()) {
            return Err(Error::Protected(protection));
        }
        if let Some(table) = self.table.as_ref().filter(|table| overlap(table, changed)) {
            let offset = table.start;
            return Err(Error::Table { offset });
        }
        let checksums = touched.iter().flat_map(|part| &part.checksums);
        if let Some(checksum) = checksums.copied().find(|g| overlap(&g.range(), changed)) {
            return Err(Error::Checksum(checksum));
        }
        for two in touched.windows(2) {
            if !two[1].holds(&two[0].range) {
                let [a, b] = [two[0].range.start, two[1].range.start];
                let (first, second) = (a.min(b), a.max(b));
                return Err(Error::Overlap { first, second });
            }
        }
        Ok(touched)
    }

    /// Whether the file reads as before, but for what lies in the change, and what was set is right.
    fn reads_back(
        &self,
        bytes: &[u8],
        changed: &Range<usize>,
        set: &[Checksum],
    ) -> Result<(), Error> {
        let now = Image::read(bytes).map_err(|_| Error::Restructured)?;
        // raw bytes have no headers, and what lies within the change is its own
        let is_raw = |part: &Part| part.kind == Kind::Raw && part.protection.is_none();
        let outside = |image: &Image| -> Vec<Part> {
            let parts = image.parts.iter().cloned();
            parts
                .filter(|part| !is_raw(part) && !inside(&part.range, changed))
                .collect()
        };
        let is_same = outside(&now) == outside(self) && now.table == self.table;
        let is_right = !now.wrong.iter().any(|checksum| set.contains(checksum));
        match is_same && is_right {
            true => Ok(()),
            false => Err(Error::Restructured),
        }
    }

    /// All checksums, in the order of the file, and whether each is right for these bytes: those that were read, or a change of them.
    pub fn verify(&self, bytes: &[u8]) -> Vec<(Checksum, bool)> {
        let mut all = Vec::new();
        for part in &self.parts {
            let wrong = part.wrong(bytes);
            let checksums = part.checksums.iter();
            all.extend(checksums.map(|checksum| (*checksum, !wrong.contains(checksum))));
        }
        all
    }

    /// The checksums that were wrong when the file was read.
    pub fn wrong(&self) -> &[Checksum] {
        &self.wrong
    }

    /// The images that hold all of a range, inner ones first. What lies within the range does not count.
    pub fn covering(&self, range: &Range<usize>) -> Vec<&Part> {
        let parts = self.parts.iter();
        let mut covering: Vec<&Part> = parts.filter(|part| part.holds(range)).collect();
        covering.sort_by_key(|part| part.range.len());
        covering
    }
}

//! Guards compared and made right again.

use std::ops::Range;

use crate::guard::overlap;
use crate::{Error, Guard, Image};

impl Image {
    /// Makes the guards right that cover the bytes of `changed`, which the caller has changed since [`Image::read`]. Returns them,
    /// with or without a change of theirs. Other bytes stay as they are. Where no image is, nothing is mended.
    ///
    /// A guard that was wrong before the change is right afterwards too; [`Image::verify`] tells it before.
    ///
    /// # Errors
    /// The change is outside the file, in a part that is signed or can't be read, in a table of partitions, over a guard, or changed
    /// what the headers say. Nothing is written then.
    pub fn mend(&self, bytes: &mut [u8], changed: Range<usize>) -> Result<Vec<Guard>, Error> {
        let (end, len) = (changed.end.max(changed.start), self.len);
        if end > len {
            return Err(Error::Outside { end, len });
        }
        let touched = || {
            let parts = self.parts.iter();
            parts.filter(|part| overlap(&part.range, &changed))
        };
        if let Some(seal) = touched().find_map(|part| part.seal.clone()) {
            return Err(Error::Sealed(seal));
        }
        if let Some(table) = self.table.as_ref().filter(|table| overlap(table, &changed)) {
            let offset = table.start;
            return Err(Error::Table { offset });
        }
        let guards = self.parts.iter().flat_map(|part| &part.guards);
        if let Some(guard) = guards.copied().find(|g| overlap(&g.range(), &changed)) {
            return Err(Error::Guard(guard));
        }
        if Image::read(bytes).as_ref() != Ok(self) {
            return Err(Error::Restructured);
        }
        let mut mended = Vec::new();
        for part in touched() {
            for guard in &part.guards {
                if !part.covers(guard, &changed) {
                    continue;
                }
                if let (Some(due), Some(stored)) =
                    (part.due(guard, bytes), bytes.get_mut(guard.range()))
                {
                    stored.copy_from_slice(&due);
                    mended.push(*guard);
                }
            }
        }
        Ok(mended)
    }

    /// All guards, in the order of the file, and whether each is right for these bytes: those that were read, or a change of them.
    pub fn verify(&self, bytes: &[u8]) -> Vec<(Guard, bool)> {
        let parts = self.parts.iter();
        let guards = parts.flat_map(|part| part.guards.iter().map(move |guard| (part, guard)));
        guards
            .map(|(part, guard)| {
                let due = part.due(guard, bytes);
                let right = due.is_some() && due.as_deref() == bytes.get(guard.range());
                (*guard, right)
            })
            .collect()
    }
}

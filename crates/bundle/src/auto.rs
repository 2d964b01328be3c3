//! `as = "auto"`: which chunks are frozen, where flash ends.

use std::collections::BTreeSet;

use crate::chunk::{Bundle, Representation};
use crate::pool::pool_size;

impl Bundle {
    /// Of the chunks of these names, which are built frozen, keeps frozen as many as fit with all
    /// chunks into `flash` bytes for every variant, the largest saving of heap for a byte of flash
    /// first. The others become bytecode. Without a limit all stay.
    pub fn settle(&mut self, auto: &BTreeSet<String>, flash: Option<u64>) {
        let frozen = (0..self.chunks.len()).filter(|&i| self.chunks[i].representation.is_frozen());
        let (mut open, mut chosen): (Vec<usize>, Vec<usize>) =
            frozen.partition(|&i| auto.contains(&self.chunks[i].name));
        loop {
            let before = self.flash(&chosen);
            let best = open
                .iter()
                .enumerate()
                .filter_map(|(place, &i)| {
                    let after = self.flash(&[&chosen[..], &[i]].concat());
                    let fits = |bytes: &usize| flash.is_none_or(|limit| *bytes as u64 <= limit);
                    let taken = after.iter().sum::<usize>() - before.iter().sum::<usize>();
                    let gain = self.gain(i) as f64 / taken.max(1) as f64;
                    after.iter().all(fits).then_some((place, gain))
                })
                // the first of those that are equal
                .reduce(|best, next| if next.1 > best.1 { next } else { best });
            match best {
                Some((place, _)) => chosen.push(open.remove(place)),
                None => break,
            }
        }
        for i in open {
            let chunk = &mut self.chunks[i];
            chunk.representation = Representation::Bytecode;
            for dump in chunk.dumps.iter_mut().flatten() {
                dump.frozen = None;
            }
        }
    }

    /// Bytes of heap that a chunk saves as a frozen one, in all variants together.
    fn gain(&self, i: usize) -> usize {
        let costs = self.chunks[i].costs.iter().flatten();
        costs
            .map(|c| c.bytecode_heap.saturating_sub(c.frozen_heap))
            .sum()
    }

    /// Bytes of flash for each variant, with these chunks frozen.
    fn flash(&self, frozen: &[usize]) -> Vec<usize> {
        let of_variant = |v: usize| {
            let alone = |i: usize| self.chunks[i].representation == Representation::FrozenAlone;
            let dumps: usize = (0..self.chunks.len())
                .filter(|&i| !alone(i))
                .filter_map(|i| self.chunks[i].dumps[v].as_ref())
                .map(|dump| dump.bytes.len().next_multiple_of(4))
                .sum();
            let functions: usize = frozen
                .iter()
                .filter_map(|&i| self.chunks[i].costs[v])
                .map(|costs| costs.frozen_flash)
                .sum();
            let chunks = frozen
                .iter()
                .filter_map(|&i| self.chunks[i].dumps[v].as_ref()?.frozen.as_ref());
            dumps + functions + pool_size(chunks).1
        };
        (0..self.variants.len()).map(of_variant).collect()
    }
}

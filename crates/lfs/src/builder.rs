//! A region's memory as it is put together: words, of which some are addresses.

use crate::Region;

/// A region that is put together.
pub(crate) struct Builder {
    words: Vec<u32>,
    tags: Vec<bool>,
}

impl Builder {
    /// With nothing but a header of so many words of 0.
    pub fn new(header: usize) -> Builder {
        let mut builder = Builder {
            words: Vec::new(),
            tags: Vec::new(),
        };
        builder.reserve(header);
        builder
    }

    /// Where the next word goes.
    pub fn end(&self) -> usize {
        self.words.len()
    }

    /// The place of so many words of 0.
    pub fn reserve(&mut self, words: usize) -> usize {
        let at = self.end();
        self.words.resize(at + words, 0);
        self.tags.resize(at + words, false);
        at
    }

    pub fn push(&mut self, word: u32) {
        let at = self.reserve(1);
        self.set(at, word);
    }

    pub fn push_address(&mut self, to: Option<usize>) {
        let at = self.reserve(1);
        self.set_address(at, to);
    }

    /// A text with a zero behind it, in whole words.
    pub fn push_text(&mut self, text: &[u8]) {
        let zero = [0; 4];
        for four in [text, &zero[..4 - text.len() % 4]].concat().chunks_exact(4) {
            self.push(u32::from_le_bytes([four[0], four[1], four[2], four[3]]));
        }
    }

    pub fn set(&mut self, at: usize, word: u32) {
        self.words[at] = word;
    }

    /// The address that is at a word.
    pub fn address(&self, at: usize) -> Option<usize> {
        self.tags[at].then_some(self.words[at] as usize)
    }

    pub fn set_address(&mut self, at: usize, to: Option<usize>) {
        if let Some(to) = to {
            self.words[at] = to as u32;
            self.tags[at] = true;
        }
    }

    /// The words and the bitmap.
    pub fn contents(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.words.iter().flat_map(|w| w.to_le_bytes()).collect();
        for tags in self.tags.chunks(32) {
            let set = tags.iter().enumerate().filter(|(_, tag)| **tag);
            let word = set.fold(0u32, |word, (i, _)| word | 1 << i);
            bytes.extend(word.to_le_bytes());
        }
        bytes
    }

    /// What was put together.
    pub fn region(self) -> Region {
        Region {
            words: self.words,
            tags: self.tags,
        }
    }
}

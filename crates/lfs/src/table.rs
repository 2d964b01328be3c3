//! The order in which a table of NodeMCU's Lua 5.1 gives its keys, where they are strings that were put into it
//! one after the other. It is the order of the strings in an image.
//!
//! Unlike stock Lua's, a table that grows keeps its nodes where they are, and then moves each to where it
//! belongs (`ltable.c`, `resize_hashpart` and `move_node`).

use crate::strings::hash;

/// A node of the table: its key, and the next of its chain.
#[derive(Clone, Copy, Default)]
struct Node<'a> {
    key: Option<(&'a [u8], u32)>,
    next: Option<usize>,
}

/// A table with strings as keys.
#[derive(Default)]
pub(crate) struct Table<'a> {
    nodes: Vec<Node<'a>>,
    /// No node from here on is free.
    free: usize,
}

impl<'a> Table<'a> {
    /// The keys in the order of `next`.
    pub fn keys(&self) -> impl Iterator<Item = &'a [u8]> {
        self.nodes.iter().filter_map(|node| Some(node.key?.0))
    }

    /// Puts a key in, unless it is there.
    pub fn insert(&mut self, text: &'a [u8]) {
        let key = (text, hash(0, text));
        if !self.contains(key) {
            self.put(key);
        }
    }

    fn contains(&self, key: (&[u8], u32)) -> bool {
        let mut at = (!self.nodes.is_empty()).then(|| self.main(key.1));
        while let Some(node) = at.map(|at| &self.nodes[at]) {
            if node.key == Some(key) {
                return true;
            }
            at = node.next;
        }
        false
    }

    fn put(&mut self, key: (&'a [u8], u32)) {
        if self.nodes.is_empty() {
            self.grow();
        }
        let mut at = self.main(key.1);
        if let Some((_, other)) = self.nodes[at].key {
            let Some(free) = self.free_node() else {
                self.grow();
                return self.put(key);
            };
            let home = self.main(other);
            if home == at {
                self.nodes[free].next = self.nodes[at].next;
                self.nodes[at].next = Some(free);
                at = free;
            } else {
                // the other one is not at home here, and leaves
                if let Some(before) = self.before(home, at) {
                    self.nodes[before].next = Some(free);
                }
                self.nodes[free] = self.nodes[at];
                self.nodes[at] = Node::default();
            }
        }
        self.nodes[at].key = Some(key);
    }

    /// Twice the nodes, and each key in its chain.
    fn grow(&mut self) {
        self.nodes.iter_mut().for_each(|node| node.next = None);
        let size = (self.nodes.len() * 2).max(1);
        self.nodes.resize(size, Node::default());
        self.free = size;
        for at in 0..size {
            while self.nodes[at].key.is_some() && !self.move_home(at) {}
        }
    }

    /// Moves a key where it belongs. False where another one took its place, which is then to be moved.
    fn move_home(&mut self, at: usize) -> bool {
        let Some((_, hash)) = self.nodes[at].key else {
            return true;
        };
        let home = self.main(hash);
        if home == at || self.before(home, at).is_some() {
            return true;
        }
        let Some((_, other)) = self.nodes[home].key else {
            self.nodes[home] = self.nodes[at];
            self.nodes[at] = Node::default();
            return true;
        };
        let others = self.main(other);
        if others == home {
            self.nodes[at].next = self.nodes[home].next;
            self.nodes[home].next = Some(at);
            return true;
        }
        let before = self.before(others, home);
        let moved = self.nodes[at];
        if let Some(before) = before {
            self.nodes[before].next = Some(at);
        }
        self.nodes[at] = self.nodes[home];
        self.nodes[home] = moved;
        before.is_some()
    }

    fn free_node(&mut self) -> Option<usize> {
        self.free = self.nodes[..self.free]
            .iter()
            .rposition(|node| node.key.is_none())?;
        Some(self.free)
    }

    /// The node of the chain from `start` that `next` follows.
    fn before(&self, start: usize, next: usize) -> Option<usize> {
        let mut at = start;
        while self.nodes[at].next != Some(next) {
            at = self.nodes[at].next?;
        }
        Some(at)
    }

    fn main(&self, hash: u32) -> usize {
        hash as usize & (self.nodes.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_there_once_and_found() {
        let texts: Vec<String> = (0..1000).map(|n| format!("key{}", n % 700)).collect();
        let mut table = Table::default();
        for text in &texts {
            table.insert(text.as_bytes());
            assert!(table.contains((text.as_bytes(), hash(0, text.as_bytes()))));
        }
        let mut keys: Vec<&[u8]> = table.keys().collect();
        assert_eq!(keys.len(), 700);
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 700);
    }
}

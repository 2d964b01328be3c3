//! Chunks that are kept between builds.

use fastlua_bundle::{Input, Kept};

use super::Plan;
use super::digest::ChunkKeys;

/// Keeps the chunks of builds, so that a later one compiles only what changed. Its functions are called from several threads.
///
/// A key is a hash of everything on which a chunk depends, except fastlua itself: keep the chunks of different programs, and of
/// different versions of fastlua, apart. Bytes that are not those that were put are not always noticed, so check them if they
/// can be damaged.
pub trait ChunkCache: Sync {
    /// The bytes that were put under this key, if they are still there.
    fn get(&self, key: &[u8; 32]) -> Option<Vec<u8>>;

    /// Keeps bytes under a key, if it can.
    fn put(&self, key: &[u8; 32], bytes: &[u8]);
}

/// The cache of a plan's chunks.
pub(super) struct OfPlan<'a> {
    cache: &'a dyn ChunkCache,
    keys: ChunkKeys,
}

impl<'a> OfPlan<'a> {
    pub(super) fn new(plan: &Plan, cache: &'a dyn ChunkCache) -> OfPlan<'a> {
        let keys = plan.chunk_keys();
        OfPlan { cache, keys }
    }
}

impl Kept for OfPlan<'_> {
    fn get(&self, input: &Input) -> Option<Vec<u8>> {
        self.cache.get(&self.keys.of(input))
    }

    fn put(&self, input: &Input, bytes: Vec<u8>) {
        self.cache.put(&self.keys.of(input), &bytes);
    }
}

//! Chunks that are kept in memory between calls.

use std::sync::{Mutex, PoisonError};

use fastlua::ChunkCache;
use lru::LruCache;
use pyo3::prelude::*;

use crate::error::Failure;

/// Compiled and proved chunks, up to a number of bytes. Calls in any threads may share it.
#[pyclass(frozen, module = "fastlua")]
pub(crate) struct Cache {
    limit: usize,
    kept: Mutex<Kept>,
}

struct Kept {
    chunks: LruCache<[u8; 32], Vec<u8>>,
    bytes: usize,
}

#[pymethods]
impl Cache {
    #[new]
    #[pyo3(signature = (limit=67108864))]
    fn new(limit: i64) -> PyResult<Cache> {
        let wrong = |_| Failure::option(format!("limit={limit}: bytes from 0 on"));
        Ok(Cache {
            limit: usize::try_from(limit).map_err(wrong)?,
            kept: Mutex::new(Kept {
                chunks: LruCache::unbounded(),
                bytes: 0,
            }),
        })
    }

    /// Bytes that it keeps.
    #[getter]
    fn bytes(&self) -> usize {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .bytes
    }

    fn __len__(&self) -> usize {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .chunks
            .len()
    }
}

impl ChunkCache for Cache {
    fn get(&self, key: &[u8; 32]) -> Option<Vec<u8>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.chunks.get(key).cloned()
    }

    fn put(&self, key: &[u8; 32], bytes: &[u8]) {
        if bytes.len() > self.limit {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let before = kept.chunks.put(*key, bytes.to_vec());
        kept.bytes += bytes.len();
        kept.bytes -= before.map_or(0, |old| old.len());
        while kept.bytes > self.limit {
            let Some((_, oldest)) = kept.chunks.pop_lru() else {
                break;
            };
            kept.bytes -= oldest.len();
        }
    }
}

/// The cache of a call, for the library.
pub(crate) fn of<'a>(cache: Option<&'a Bound<Cache>>) -> Option<&'a dyn ChunkCache> {
    cache.map(|cache| cache.get() as &dyn ChunkCache)
}

//! What tells builds apart.

use fastlua_bundle::Input;
use sha2::{Digest, Sha256};

use crate::Plan;

impl Plan {
    /// SHA-256 of all that [`Plan::build`] depends on but fastlua itself: one program makes the same bundle of all plans that
    /// have it. Another program, even of the same version, is to be told apart by other means.
    pub fn digest(&self) -> [u8; 32] {
        let Plan {
            inputs,
            modules,
            variants,
            budget,
            budgets,
            heap_limit,
            // only errors tell of them
            others: _,
            slot,
        } = self;
        let mut hash = Sha256::new();
        let mut add = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        for input in inputs {
            let Input {
                name,
                module,
                file,
                text,
                form,
                strip,
                variants,
            } = input;
            add(format!("{:?}", (name, module, file, form, strip, variants)).as_bytes());
            add(text);
        }
        let all = (modules, variants, budget, budgets, heap_limit, slot);
        add(format!("{all:?}").as_bytes());
        hash.finalize().into()
    }
}

//! Runs mutants that the verifier accepts on the real thing: the six cores, with packed line info as
//! NodeMCU's have it, under address and undefined-behaviour sanitizers, in processes of their own. A
//! crash is a fault in the rules, or in the loader.

mod trial;
mod walk;

pub use trial::{Answer, CoreProcess, Crash, Error};
pub use walk::{CrashFound, SoundnessFuzzer, Tally};

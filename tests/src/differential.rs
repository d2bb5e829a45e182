//! Compares ksops with real sops on random input.
//!
//! Apart from the tests that use it, because the program `differential` runs the same comparison for as long as one
//! wants. Both sides are called in process, theirs through `tests/oracle/sops`; a case costs well under a millisecond.

pub mod case;
pub mod compare;
pub mod dice;
pub mod formats;
pub mod grammar;
pub mod known;
pub mod marks;
pub mod minimise;
pub mod mutate;
pub mod nodes;
pub mod ours;
pub mod outcome;
pub mod programs;
pub mod reconcile;
pub mod rules;
pub mod run;
pub mod scalars;
pub mod shape;
pub mod theirs;
pub mod trees;
mod trees_flow;
pub mod trees_print;

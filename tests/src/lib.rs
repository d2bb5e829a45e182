//! Shared helpers of the tests package.
//!
//! A package of its own, so that no library carries the dependencies of tests that run whole programs.

pub mod corpus;
pub mod differential;
pub mod etc;
pub mod exports;
pub mod failures;
pub mod fixtures;
pub mod laws;
pub mod layout;
pub mod oracle;
pub mod parallel;
pub mod pgp;
pub mod postgres;
pub mod program;
pub mod rig;
pub mod sandbox;
pub mod scenario;
pub mod stub;
pub mod terminal;

//! Shared helpers of the benches package.

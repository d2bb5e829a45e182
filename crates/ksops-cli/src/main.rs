//! The ksops program.
fn main() {}

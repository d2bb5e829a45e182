//! Command lines as data: `fixtures/cli/scenarios.jsonl`, whose first line explains the format.

pub mod check;
pub mod model;
pub mod run;

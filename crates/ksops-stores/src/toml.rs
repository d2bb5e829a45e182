//! TOML, with comments and layout kept.

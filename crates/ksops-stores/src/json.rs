//! JSON (file-format.md section 8).

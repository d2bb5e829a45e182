//! INI (file-format.md section 10).

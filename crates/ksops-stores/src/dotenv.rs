//! dotenv (file-format.md section 9).

//! Sending a file to where others read it: buckets get it encrypted, Vault's key-value engine gets its values
//! (cli-and-config.md section 10.1).

pub mod document;
pub mod upload;

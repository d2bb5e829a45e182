//! One file for each command.

#[cfg(feature = "azure-kv")]
pub(crate) mod azure_fetch_key;
pub(crate) mod completion;
pub(crate) mod decrypt;
pub(crate) mod doctor;
pub(crate) mod edit;
pub(crate) mod encrypt;
pub(crate) mod exec_env;
pub(crate) mod exec_file;
pub(crate) mod filestatus;
pub(crate) mod git_install;
pub(crate) mod git_merge;
pub(crate) mod git_textconv;
pub(crate) mod groups;
pub(crate) mod init;
#[cfg(feature = "age")]
pub(crate) mod keygen;
#[cfg(feature = "keyservice")]
pub(crate) mod keyservice;
pub(crate) mod legacy;
pub(crate) mod man;
pub(crate) mod mergetool;
pub(crate) mod merging;
#[cfg(not(all(feature = "age", feature = "azure-kv", feature = "keyservice")))]
pub(crate) mod not_built;
pub(crate) mod publish;
pub(crate) mod rotate;
pub(crate) mod set;
pub(crate) mod unset;
pub(crate) mod updatekeys;
pub(crate) mod verify;
pub(crate) mod version;
pub(crate) mod view;

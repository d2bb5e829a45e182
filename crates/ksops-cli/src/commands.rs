//! One file for each command.

pub(crate) mod azure_fetch_key;
pub(crate) mod completion;
pub(crate) mod decrypt;
pub(crate) mod doctor;
pub(crate) mod edit;
pub(crate) mod encrypt;
pub(crate) mod exec_env;
pub(crate) mod exec_file;
pub(crate) mod filestatus;
pub(crate) mod groups;
pub(crate) mod init;
pub(crate) mod keygen;
#[cfg(feature = "keyservice")]
pub(crate) mod keyservice;
#[cfg(not(feature = "keyservice"))]
pub(crate) mod later;
pub(crate) mod legacy;
pub(crate) mod man;
pub(crate) mod publish;
pub(crate) mod rotate;
pub(crate) mod set;
pub(crate) mod unset;
pub(crate) mod updatekeys;
pub(crate) mod version;
pub(crate) mod view;

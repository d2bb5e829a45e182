//! Upstream writes audit rows to a database when `/etc/sops/audit.yaml` exists. This program does not, and leaving them
//! out in silence would be worse than not working (cli-and-config.md section 15).

use std::path::Path;

use crate::error::{Failure, Kind};

const AUDIT_FILE: &str = "/etc/sops/audit.yaml";

/// Refuses to work on a machine that wants an audit.
///
/// # Errors
/// If the file exists.
pub(crate) fn refuse_to_skip() -> Result<(), Failure> {
    if !Path::new(AUDIT_FILE).exists() {
        return Ok(());
    }
    let text =
        format!("{AUDIT_FILE} asks for an audit, which ksops cannot write: it refuses to work without");
    Err(Failure::new(Kind::General, text).hints(["use sops on this machine, or have the audit file removed"]))
}

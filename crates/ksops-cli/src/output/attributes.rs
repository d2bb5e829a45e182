//! What belongs to a file besides its content, and has to survive its replacement.

use std::fs::{File, Metadata};
use std::io;

use tempfile::Builder;

/// Whether the file has more than one name: a rename would take the content from the others.
#[cfg(unix)]
pub(super) fn has_other_names(data: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    data.nlink() > 1
}

/// Gives a new file the rights that the umask leaves.
#[cfg(unix)]
pub(super) fn usual_rights(builder: &mut Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(std::fs::Permissions::from_mode(0o666));
}

/// Gives `new` the owner, the rights and the extended attributes (access lists among them) of `old`.
///
/// # Errors
/// If owner, group or rights cannot be the same.
#[cfg(unix)]
pub(super) fn copy(old: &File, new: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};

    let (was, is) = (old.metadata()?, new.metadata()?);
    if (was.uid(), was.gid()) != (is.uid(), is.gid()) {
        fchown(new, Some(was.uid()), Some(was.gid()))?;
    }
    copy_extended(old, new)?;
    // Last, because a change of the owner takes rights away.
    new.set_permissions(was.permissions())
}

/// Copies what user and system have attached; labels of the security module follow from the folder.
#[cfg(target_os = "linux")]
fn copy_extended(old: &File, new: &File) -> io::Result<()> {
    use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fsetxattr};

    const ACCESS_LIST: &[u8] = b"system.posix_acl_access";
    let mut names = vec![0; 64 << 10];
    let Ok(length) = flistxattr(old, names.as_mut_slice()) else { return Ok(()) };
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        if name != ACCESS_LIST && !name.starts_with(b"user.") {
            continue;
        }
        let mut value = vec![0; 64 << 10];
        let length = fgetxattr(old, name, value.as_mut_slice())?;
        fsetxattr(new, name, &value[..length], XattrFlags::empty())?;
    }
    Ok(())
}

#[cfg(all(unix, not(target_os = "linux")))]
fn copy_extended(_: &File, _: &File) -> io::Result<()> {
    Ok(())
}

/// Asks for the space that the new content needs, so that a full disk is noticed before the old content is gone.
#[cfg(target_os = "linux")]
pub(super) fn reserve(file: &File, length: usize) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;

    match fallocate(file, FallocateFlags::KEEP_SIZE, 0, (length as u64).max(1)) {
        Err(error @ (Errno::NOSPC | Errno::FBIG | Errno::DQUOT)) => Err(error.into()),
        // Some file systems cannot tell.
        _ => Ok(()),
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn reserve(_: &File, _: usize) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn has_other_names(_: &Metadata) -> bool {
    false
}

#[cfg(not(unix))]
pub(super) fn usual_rights(_: &mut Builder<'_, '_>) {}

#[cfg(not(unix))]
pub(super) fn copy(old: &File, new: &File) -> io::Result<()> {
    new.set_permissions(old.metadata()?.permissions())
}

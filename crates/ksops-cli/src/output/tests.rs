//! Replacing files of every kind; the whole program is tried in the tests package (`atomic.rs`).

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use tempfile::TempDir;

use crate::output::replace;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn names(folder: &Path) -> usize {
    fs::read_dir(folder).expect("a folder").count()
}

#[test]
fn replaces_the_file_by_another_one_with_the_same_mode() {
    let folder = folder();
    let path = folder.path().join("f");
    fs::write(&path, "old and longer").expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).expect("set");
    let before = path.metadata().expect("there").ino();
    replace(&path, b"new").expect("replaced");
    let data = path.metadata().expect("there");
    assert_ne!(data.ino(), before);
    assert_eq!(data.mode() & 0o7777, 0o604);
    assert_eq!(fs::read(&path).expect("read"), b"new");
    assert_eq!(names(folder.path()), 1);
}

#[test]
fn a_new_file_has_the_usual_rights() {
    let folder = folder();
    let (ours, usual) = (folder.path().join("ours"), folder.path().join("usual"));
    replace(&ours, b"x").expect("made");
    fs::write(&usual, "x").expect("made");
    let mode = |path: &Path| path.metadata().expect("there").mode();
    assert_eq!(mode(&ours), mode(&usual));
}

#[test]
fn all_names_of_a_file_see_the_new_content() {
    let folder = folder();
    let (path, other) = (folder.path().join("f"), folder.path().join("g"));
    fs::write(&path, "old and longer").expect("written");
    fs::hard_link(&path, &other).expect("linked");
    replace(&path, b"new").expect("replaced");
    assert_eq!(fs::read(&other).expect("read"), b"new");
}

#[test]
fn links_are_followed_also_to_what_does_not_exist() {
    let folder = folder();
    let (link, target) = (folder.path().join("link"), folder.path().join("target"));
    symlink("target", &link).expect("linked");
    for content in ["first", "second"] {
        replace(&link, content.as_bytes()).expect("replaced");
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&target).expect("read"), content);
    }
}

#[test]
fn extended_attributes_stay() {
    let folder = folder();
    let path = folder.path().join("f");
    fs::write(&path, "old").expect("written");
    let flags = rustix::fs::XattrFlags::empty();
    if rustix::fs::setxattr(&path, "user.ksops", b"mine", flags).is_err() {
        return; // The file system has none, so there is nothing to lose.
    }
    replace(&path, b"new").expect("replaced");
    let mut value = [0; 8];
    assert_eq!(rustix::fs::getxattr(&path, "user.ksops", &mut value[..]), Ok(4));
    assert_eq!(&value[..4], b"mine");
}

#[test]
fn says_what_failed() {
    let folder = folder();
    let path = folder.path().join("no").join("f");
    let error = replace(&path, b"x").expect_err("no such folder");
    assert_eq!(error, format!("open {}: no such file or directory", path.display()));
    let error = replace(folder.path(), b"x").expect_err("a folder");
    assert_eq!(error, format!("open {}: is a directory", folder.path().display()));
}

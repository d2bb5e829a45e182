//! The dotenv and INI files of `fixtures/upstream`: all are read, and those of the newest layout are printed again.

use std::{fs, io};

use ksops_core::metadata::wire;
use ksops_core::tree::branch::Branch;
use ksops_stores::flat::error::FlattenError;
use ksops_stores::{dotenv, ini};

use crate::cases::fixtures;

#[path = "support/cases.rs"]
#[allow(dead_code, reason = "only the place of the fixtures is wanted")]
mod cases;

#[derive(Default)]
struct Seen {
    plain: usize,
    encrypted: usize,
    same_bytes: usize,
}

struct Store {
    load: fn(&[u8]) -> Branch,
    take: fn(&mut Branch) -> Result<Option<Branch>, FlattenError>,
    put: fn(&mut Branch, &Branch) -> Result<(), FlattenError>,
    emit: fn(&Branch) -> Vec<u8>,
}

const DOTENV: Store = Store {
    load: |bytes| dotenv::load::load(bytes).expect("dotenv"),
    take: dotenv::metadata::take_metadata,
    put: dotenv::metadata::put_metadata,
    emit: |branch| dotenv::emit::emit(branch).expect("printed").to_vec(),
};

const INI: Store = Store {
    load: |bytes| {
        let loaded = ini::load::load(bytes).expect("INI");
        assert!(loaded.notices.iter().all(|notice| !notice.grave));
        loaded.branch
    },
    take: ini::metadata::take_metadata,
    put: ini::metadata::put_metadata,
    emit: |branch| ini::emit::emit(branch).expect("printed").to_vec(),
};

fn check(store: &Store, bytes: &[u8], name: &str, seen: &mut Seen) {
    let mut branch = (store.load)(bytes);
    let taken = (store.take)(&mut branch).expect("the names fit together");
    if !name.contains(".enc.") {
        assert_eq!(taken, None, "{name}");
        seen.plain += 1;
        return;
    }
    let block = taken.expect("metadata");
    let metadata = wire::from_branch(&block).unwrap_or_else(|error| panic!("{name}: {error}"));
    let expected = if name.contains("shamir") { (3, 2) } else { (1, 0) };
    assert_eq!((metadata.key_groups.len(), metadata.shamir_threshold), expected, "{name}");
    assert_eq!(metadata.mac_only_encrypted, name.contains("mac-only"), "{name}");
    seen.encrypted += 1;
    (store.put)(&mut branch, &wire::to_branch(&metadata)).expect("flat");
    let printed = (store.emit)(&branch);
    if printed == bytes {
        seen.same_bytes += 1;
    }
    // What we print is read as the same.
    let mut again = (store.load)(&printed);
    let block = (store.take)(&mut again).expect("fits").expect("metadata");
    assert_eq!(wire::from_branch(&block).as_ref(), Ok(&metadata), "{name}");
    if name.starts_with("3.13") {
        assert_eq!(String::from_utf8_lossy(&printed), String::from_utf8_lossy(bytes), "{name}");
    }
}

#[test]
fn every_version_is_read_and_the_newest_layout_is_printed() -> io::Result<()> {
    let mut seen = Seen::default();
    for version in ["3.7.3", "3.8.1", "3.9.4", "3.11.0", "3.13.2"] {
        for entry in fs::read_dir(fixtures().join("upstream").join(version))? {
            let path = entry?.path();
            let name = format!("{version}/{}", path.file_name().unwrap_or_default().to_string_lossy());
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("env") => check(&DOTENV, &fs::read(&path)?, &name, &mut seen),
                Some("ini") => check(&INI, &fs::read(&path)?, &name, &mut seen),
                _ => {}
            }
        }
    }
    assert_eq!((seen.plain, seen.encrypted), (40, 40));
    assert!(seen.same_bytes >= 9);
    Ok(())
}

//! Any bytes: reading them must not panic, and what is read and printed must read as the same tree, and print as the
//! same text again.
#![no_main]

use ksops_stores::yaml::emit::YamlWriter;
use ksops_stores::yaml::load::load;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(branches) = load(bytes) else { return };
    let print = |branches: &[_]| {
        let mut writer = YamlWriter::new(0).ok()?;
        for branch in branches {
            writer.branch(branch).ok()?;
        }
        Some(writer.finish().to_string())
    };
    let Some(first) = print(&branches) else { return };
    let again = load(first.as_bytes()).expect("what was printed can be read");
    assert_eq!(again.len(), branches.len().max(usize::from(!first.is_empty())));
    let _ = print(&again).expect("what was read can be printed");
});

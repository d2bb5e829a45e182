//! Runs a store over the cases of a layout folder; their README tells what each file is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// What is printed of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it was read.
    Decrypted,
    /// As it was read, before a block of metadata that is cut off again.
    EncryptedLayout,
    /// As [`Form::EncryptedLayout`], with a stand-in for each value that is encrypted.
    FullLayout,
}

impl Form {
    fn file(self, extension: &str) -> String {
        let name = match self {
            Self::Decrypted => "decrypted",
            Self::EncryptedLayout => "encrypted-layout",
            Self::FullLayout => "full-layout",
        };
        format!("{name}.{extension}")
    }
}

/// The fixtures of the repository.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// What came out of a folder of cases.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// How many texts were compared.
    pub(crate) compared: usize,
    /// How many inputs were refused, as they should be.
    pub(crate) refused: usize,
    /// How many cases ksops answers otherwise than sops, on purpose.
    pub(crate) own: usize,
    /// What is wrong, by case.
    pub(crate) failures: BTreeMap<String, String>,
}

/// Compares all cases of `layout`, and those of `layout`-ksops, which come first.
///
/// # Errors
/// An input that cannot be read.
pub(crate) fn compare(
    layout: &str,
    extension: &str,
    refused_above: &[&str],
    print: impl Fn(&[u8], Form) -> Result<Vec<u8>, String>,
) -> io::Result<Outcome> {
    let (theirs, ours) = (fixtures().join(layout), fixtures().join(format!("{layout}-ksops")));
    let mut names = folders(&theirs)?;
    if ours.exists() {
        names.extend(folders(&ours)?);
    }
    names.sort();
    names.dedup();
    let mut outcome = Outcome::default();
    for name in names {
        let input = [ours.join(&name), theirs.join(&name)]
            .iter()
            .find_map(|folder| fs::read(folder.join(format!("in.{extension}"))).ok())
            .ok_or(io::ErrorKind::NotFound)?;
        let folder = if ours.join(&name).exists() {
            outcome.own += 1;
            ours.join(&name)
        } else {
            theirs.join(&name)
        };
        for form in [Form::Decrypted, Form::EncryptedLayout, Form::FullLayout] {
            let printed = print(&input, form);
            let expected = fs::read(folder.join(form.file(extension)));
            let error = fs::read_to_string(folder.join("error.txt"));
            let difference = match (printed, expected, error) {
                (Ok(_), Err(_), _) if refused_above.contains(&name.as_str()) => None,
                (Ok(printed), Ok(expected), _) => {
                    outcome.compared += 1;
                    (printed != expected).then(|| {
                        let [printed, expected] =
                            [printed, expected].map(|text| String::from_utf8_lossy(&text).into_owned());
                        format!("ours: {printed:?}\nsops: {expected:?}")
                    })
                }
                (Err(ours), Err(_), Ok(theirs)) => {
                    outcome.refused += 1;
                    (!agrees(&ours, &theirs)).then(|| format!("ours: {ours:?}\nsops: {theirs:?}"))
                }
                (printed, ..) => Some(format!(
                    "ours: {:?}",
                    printed.map(|text| String::from_utf8_lossy(&text).into_owned())
                )),
            };
            if let Some(difference) = difference {
                outcome.failures.insert(format!("{name} ({form:?})"), difference);
            }
        }
    }
    Ok(outcome)
}

fn folders(root: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

/// Whether our message has the phrase of theirs: we add the place, they show the line.
fn agrees(ours: &str, theirs: &str) -> bool {
    let theirs = theirs.trim_start_matches("Error unmarshalling file: ");
    let phrase = ours.split(" (").next().unwrap_or_default();
    !phrase.is_empty() && theirs.starts_with(phrase)
}

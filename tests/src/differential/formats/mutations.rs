//! Changed fixtures of the other formats.

use std::sync::OnceLock;

use ksops_stores::format::Format;

use crate::differential::dice::Dice;
use crate::differential::mutate;
use crate::fixtures;

/// The longest text that is changed.
const LONGEST: usize = 2000;

/// Formats with a folder of fixtures, each with the end of its files' names.
const FOLDERS: [(Format, &str, &str); 3] = [
    (Format::Json, "json-layout", "json"),
    (Format::Dotenv, "dotenv-layout", "env"),
    (Format::Ini, "ini-layout", "ini"),
];

/// The input and the plain output of every fixture of `format`.
fn texts(format: Format) -> &'static [Vec<u8>] {
    static TEXTS: OnceLock<Vec<(Format, Vec<Vec<u8>>)>> = OnceLock::new();
    let texts = TEXTS.get_or_init(|| {
        FOLDERS
            .into_iter()
            .map(|(format, folder, suffix)| {
                let folders = fixtures::entries(&fixtures::path(folder));
                let files = folders.iter().filter(|folder| folder.is_dir()).flat_map(|folder| {
                    ["in", "full-layout", "decrypted"].map(|name| folder.join(format!("{name}.{suffix}")))
                });
                let texts = files.filter_map(|file| std::fs::read(file).ok());
                let mut texts: Vec<Vec<u8>> = texts.filter(|text| text.len() <= LONGEST).collect();
                texts.sort();
                texts.dedup();
                assert!(!texts.is_empty(), "no fixtures in {folder}");
                (format, texts)
            })
            .collect()
    });
    texts.iter().find(|(known, _)| *known == format).map_or(&[], |(_, texts)| texts)
}

/// A fixture of `format` with some changes; a fixture of another one for bytes.
///
/// # Panics
/// If the fixtures are missing.
#[must_use]
pub fn fixture(dice: &mut Dice, format: Format) -> Vec<u8> {
    let format = if format == Format::Binary { Format::Json } else { format };
    let text = dice.pick(texts(format)).clone();
    let rounds = *dice.pick(&[0, 1, 1, 1, 2, 2, 3]);
    mutate::changed(dice, text, rounds)
}

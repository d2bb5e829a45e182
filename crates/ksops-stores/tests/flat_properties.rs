//! Laws of the dotenv and INI stores over made-up texts.

use ksops_core::tree::branch::Branch;
use ksops_stores::{dotenv, ini};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any, proptest};
use proptest::sample::select;

/// Pieces of both formats, good and bad, to be put together in any order.
const PIECES: [&str; 48] = [
    "a=1\n",
    "b = 2\n",
    "c: x\n",
    "[s]\n",
    "[DEFAULT]\n",
    "[s] # c\n",
    "[",
    "]",
    "# c\n",
    "; d\n",
    "#\n",
    ";",
    "#",
    "=",
    ":",
    "-",
    "\n",
    "\r\n",
    " ",
    "\t",
    "\\",
    "\\n",
    "\\\n",
    "\"",
    "'",
    "`",
    "\"\"\"",
    "a",
    "b",
    "k = \"\"\"x\n",
    "y\"\"\" ; z\n",
    "k = `x\n",
    "y`\n",
    "\u{a0}",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "é",
    "\"a\" = ",
    "`a` = ",
    "- = x\n",
    "sops_",
    "sops",
    "[sops]\n",
    "__map_",
    "__list_",
    "0",
    "\0",
];

fn text() -> impl Strategy<Value = String> {
    vec(select(PIECES.to_vec()), 0..24).prop_map(|pieces| pieces.concat())
}

fn ini_again(branch: &Branch) -> Option<Branch> {
    let text = ini::emit::emit(branch).ok()?;
    ini::load::load(&text).ok().map(|loaded| loaded.branch)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = dotenv::load::load(&bytes);
        let _ = ini::load::load(&bytes);
    }

    #[test]
    fn metadata_is_taken_from_any_text_without_panic(text in text()) {
        if let Ok(mut branch) = dotenv::load::load(text.as_bytes()) {
            let _ = dotenv::metadata::take_metadata(&mut branch);
        }
        if let Ok(mut loaded) = ini::load::load(text.as_bytes()) {
            let _ = ini::metadata::take_metadata(&mut loaded.branch);
        }
    }

    #[test]
    fn dotenv_reads_what_it_printed(text in text()) {
        if let Ok(branch) = dotenv::load::load(text.as_bytes()) {
            let printed = dotenv::emit::emit(&branch).expect("strings only");
            assert_eq!(dotenv::load::load(&printed).as_ref(), Ok(&branch), "{text:?}");
        }
    }

    /// What is stable once stays so: values that are read back as others are known (file-format.md section 10.2).
    #[test]
    fn ini_that_is_read_back_equal_is_printed_equal(text in text()) {
        if let Ok(loaded) = ini::load::load(text.as_bytes())
            && let Some(again) = ini_again(&loaded.branch)
            && again == loaded.branch
        {
            let [first, second] = [&loaded.branch, &again].map(|branch| ini::emit::emit(branch).expect("printed"));
            assert_eq!(first, second, "{text:?}");
        }
    }

    #[test]
    fn tame_ini_is_read_back_as_it_was(
        sections in vec(("[a-z]{1,4}", vec(("[a-z]{1,4}", "[a-z;#=: `\n]{0,6}"), 0..4)), 0..4)
    ) {
        let mut text = String::new();
        for (name, keys) in &sections {
            text.push_str(&format!("; of {name}\n[{name}]\n"));
            for (key, value) in keys {
                // As the printer quotes it.
                let quote = if value.contains(['\n', '`']) {
                    "\"\"\""
                } else if value.contains(['#', ';']) {
                    "`"
                } else {
                    "\""
                };
                text.push_str(&format!("# of {key}\n{key} = {quote}{value}{quote}\n"));
            }
        }
        let branch = ini::load::load(text.as_bytes()).expect("INI").branch;
        assert_eq!(ini_again(&branch), Some(branch), "{text:?}");
    }
}

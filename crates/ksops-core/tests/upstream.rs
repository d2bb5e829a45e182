//! Files that real SOPS wrote, from version 3.7.3 to 3.13.2: cipher, MAC, metadata and Shamir's scheme together.
//!
//! The keys are the data keys of the fixtures, or their shares, taken out once with the test identities of
//! `fixtures/keys`; they protect nothing. JSON is read by a small reader at the foot, so that the core needs no format.

use ksops_core::crypto::data_key::DataKey;
use ksops_core::crypto::shamir;
use ksops_core::document::decrypt::{DecryptError, Options, decrypt};
use ksops_core::metadata::wire;
use ksops_core::secret::SecretBytes;
use ksops_core::tree::branch::{Branch, Entry, Node};
use ksops_core::tree::path::TreePath;
use ksops_core::value::Value;

/// A fixture: its name, the encrypted file, the plain one, the data key or its shares in hexadecimal.
type Fixture = (&'static str, &'static str, &'static str, &'static [&'static str]);

macro_rules! fixtures {
    ($($name:literal: $($key:literal),+;)+) => {
        &[$((
            $name,
            include_str!(concat!("../../../fixtures/upstream/", $name, ".enc.json")),
            include_str!(concat!("../../../fixtures/upstream/", $name, ".enc.json.plain")),
            &[$($key),+],
        )),+]
    };
}

const FIXTURES: &[Fixture] = fixtures! {
    "3.11.0/basic":
        "2a1be1794f79c42c81a905409ac434255c8f8d1b97b8972dbf48e58925ec666e";
    "3.11.0/encrypted-regex":
        "572bdc367bc6f3c9e90e993798baa358775580a10be7116821f1e73e435d4b4d";
    "3.11.0/mac-only":
        "18f9fd940429401b3bddd62d114592c614db2bb7fe424236c2c8bb4eb07277e7";
    "3.11.0/shamir-2-of-3":
        "a87764156a0357c38df542791f616afb7e26ac20cf0ac8e70dfbd8cf909624a701",
        "5a9dbc1007aba05dd32c03baf2f8b4a79f960248ff100ace27cef1a433b2550a02",
        "fd32f413d53a04de10923cfba98ffe93c00f9199efefbd20c8dd1f7452ae7a9803";
    "3.13.2/basic":
        "85a0000d96fa0454aaa90ae560c1868cf41810b9bf3b50aee067ef57e21cfb3b";
    "3.13.2/encrypted-regex":
        "94d9cb71a9f5d936b2f8a7b2e8e57937946fff08dbb9f24659c44ecdb81c29f0";
    "3.13.2/mac-only":
        "f651ea954aa0a276af98721425275b38eee1425e6d5d73aeccf6ef35f6ae3f3d";
    "3.13.2/shamir-2-of-3":
        "eac779f8a17c985b6b9507d6ee63795e21af0cfda47301b3ef5bdbe0ce294c7701",
        "23acd3f3dada2909578b5a3a987142987039660cb158abdce0587409200d01af02",
        "647cb503f3b846ce43819897437fa2dab64b40aa4b41cdf9e55911a77a113ae703";
    "3.7.3/basic":
        "75195ae24efc754e380052ca114e02cd4b3e77d087db65d61fc320f8fd074660";
    "3.7.3/encrypted-regex":
        "1601362c84534f0c14587a430e7aae22860e9117efc38ed90c1475878be00d6e";
    "3.7.3/shamir-2-of-3":
        "03ee87ee8301931a31964b1c524e2b9dc2ce8a313eaa25f3bb1976973e5feec972",
        "1e27c3a7d704eb09dd125b8a413322d4c86241d3cc028e5e8dcff185891d807878",
        "530c8b764bf79b8cb6dd8f06c4b08e053574fd70bb21fc8e483e6fc670f7862385";
    "3.8.1/basic":
        "4f11db05cfa9d85cbc0a919323f1a3ee2866d67bfc8f6b00b87a69a4424616f8";
    "3.8.1/encrypted-regex":
        "d7f96fce57399c6bbb8c60e2bcddb4d63d8af235eea3e8398a4e55ba5f252e52";
    "3.8.1/shamir-2-of-3":
        "67e3c6946fe9203089d66b3c17550244a73b28e706215006526d7ec77df7170a5a",
        "631ba406bcea75f8802892eb790c837c8e01d028756d943d90d3b389514cc7c054",
        "8b5ad3fb79a4283571f5e9c62d72bd3b7e329143b54c7a34e20cacdc73414c7903";
    "3.9.4/basic":
        "96c6da7914c2d49526630b4b0706d9ef6311eca51bd89116912bbfb7ce645994";
    "3.9.4/encrypted-regex":
        "284f6a9d16b2d70f138fc217f5a0fdd6a2e0f507fe09bdeb79dbe1d17026894a";
    "3.9.4/mac-only":
        "38afe53429d4dd81f3bf65528b2c518eca0726a4ac5797022520961f9131738a";
    "3.9.4/shamir-2-of-3":
        "1649f1dff19afe2804ee6d8051c20e592d48878876641f38e897d14fcf3c45445a",
        "aaf057d36980f711f5d3dbb10ed66d23b6db4aac662d6738cfd491f1e13dd9baf7",
        "9c17acf4aa4d017be3a454e1d9bf01cd3a6de75912100a3875505a44adf107c479";
};

fn data_key(keys: &[&str]) -> DataKey {
    let bytes = |hex: &&str| -> SecretBytes {
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
        (0..hex.len()).step_by(2).map(byte).collect::<Vec<_>>().into()
    };
    let mut parts: Vec<SecretBytes> = keys.iter().map(bytes).collect();
    let key = if parts.len() == 1 { parts.remove(0) } else { shamir::combine(&parts).expect("shares") };
    DataKey::new(key).expect("a data key")
}

fn open(encrypted: &Branch, keys: &[&str]) -> Result<Branch, DecryptError> {
    let mut documents = [encrypted.clone()];
    let metadata = wire::take_all(&mut documents).expect("metadata");
    let decrypted = decrypt(&data_key(keys), &metadata, Options::default(), || documents.to_vec())?;
    Ok(decrypted.branches.into_iter().next().expect("one document"))
}

#[test]
fn files_of_every_version_decrypt_to_their_plaintext() {
    for (name, encrypted, plain, keys) in FIXTURES {
        let decrypted =
            open(&Reader::read(encrypted), keys).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(normal(&decrypted) == normal(&Reader::read(plain)), "{name}");
    }
}

#[test]
fn any_two_of_three_shares_are_enough() {
    for (name, encrypted, _, keys) in FIXTURES.iter().filter(|(_, _, _, keys)| keys.len() == 3) {
        for pair in [[0, 1], [0, 2], [2, 1]] {
            let keys = pair.map(|at| keys[at]);
            assert!(open(&Reader::read(encrypted), &keys).is_ok(), "{name} {pair:?}");
        }
    }
}

/// Flips one bit of everything that the MAC or a tag covers.
#[test]
fn a_change_anywhere_is_refused() {
    for (name, encrypted, _, keys) in FIXTURES.iter().filter(|(name, ..)| name.ends_with("basic")) {
        let whole = Reader::read(encrypted);
        let mut changed = 0;
        for number in 0.. {
            let mut branch = whole.clone();
            if !change_leaf(&mut branch, number) {
                break;
            }
            let same = normal(&branch) == normal(&whole);
            assert!(same || open(&branch, keys).is_err(), "{name}: leaf {number}");
            changed += usize::from(!same);
        }
        assert!(changed > 10, "{name}: {changed}");
        let mut branch = whole.clone();
        let Some(Entry::Item(_, Node::Map(block))) = branch.entries.last_mut() else { panic!("a block") };
        for entry in &mut block.entries {
            if let Entry::Item(key, node) = entry
                && *key == *"lastmodified"
            {
                *node = Node::Leaf(Value::text("2026-11-22T00:00:00Z"));
            }
        }
        assert!(matches!(open(&branch, keys), Err(DecryptError::Mac(_))), "{name}");
    }
}

/// Changes the string with this number, not counting the metadata: the first digit of its ciphertext, or the value.
fn change_leaf(branch: &mut Branch, mut number: usize) -> bool {
    fn of_node(node: &mut Node, number: &mut usize) -> bool {
        match node {
            Node::Map(branch) => branch.entries.iter_mut().any(|entry| match entry {
                Entry::Item(_, node) => of_node(node, number),
                Entry::Comment(_) => false,
            }),
            Node::List(list) => list.iter_mut().any(|node| of_node(node, number)),
            Node::Leaf(Value::Text(text)) if *number == 0 => {
                let text = text.expose_str().expect("ASCII or plain");
                let changed = match text.strip_prefix("ENC[AES256_GCM,data:") {
                    Some(rest) => {
                        let first = if rest.starts_with('A') { "B" } else { "A" };
                        format!("ENC[AES256_GCM,data:{first}{}", &rest[1..])
                    }
                    None => format!("{text}x"),
                };
                *node = Node::Leaf(Value::text(changed));
                true
            }
            Node::Leaf(Value::Text(_)) => {
                *number -= 1;
                false
            }
            Node::Leaf(_) | Node::Comment(_) => false,
        }
    }
    let last = branch.entries.len() - 1;
    branch.entries[..last].iter_mut().any(|entry| match entry {
        Entry::Item(_, node) => of_node(node, &mut number),
        Entry::Comment(_) => false,
    })
}

/// The shape of a document in which `42` and `42.0` are the same: JSON files before 3.13.2 hold floats only.
fn normal(branch: &Branch) -> Vec<(TreePath, Vec<u8>)> {
    use ksops_core::crypto::plaintext;
    use ksops_core::tree::path::{Step, Trail};
    fn of_node(node: &Node, trail: &Trail<'_>, out: &mut Vec<(TreePath, Vec<u8>)>) {
        match node {
            Node::Leaf(value) => {
                let mut bytes = Vec::new();
                plaintext::write(value, &mut bytes).expect("writable");
                out.push((trail.to_path(), bytes));
            }
            Node::Map(branch) => {
                out.push((trail.to_path(), b"{".to_vec()));
                for entry in &branch.entries {
                    if let Entry::Item(key, node) = entry {
                        of_node(node, &trail.below(Step::Key(key)), out);
                    }
                }
            }
            Node::List(list) => {
                out.push((trail.to_path(), b"[".to_vec()));
                for (index, node) in list.iter().enumerate() {
                    of_node(node, &trail.below(Step::Index(index)), out);
                }
            }
            Node::Comment(_) => {}
        }
    }
    let mut out = Vec::new();
    of_node(&Node::Map(branch.clone()), &Trail::root(), &mut out);
    out
}

/// Reads the JSON of the fixtures, no other.
struct Reader<'a>(std::iter::Peekable<std::str::Chars<'a>>);

impl Reader<'_> {
    fn read(text: &str) -> Branch {
        match Reader(text.chars().peekable()).node() {
            Node::Map(branch) => branch,
            _ => panic!("an object"),
        }
    }

    fn token(&mut self) -> char {
        self.0.find(|letter| !letter.is_whitespace()).expect("more JSON")
    }

    fn node(&mut self) -> Node {
        match self.token() {
            '{' => {
                let mut entries = Vec::new();
                loop {
                    match self.token() {
                        '}' => return Node::Map(Branch { entries }),
                        '"' => {
                            let key = self.string();
                            assert_eq!(self.token(), ':');
                            entries.push(Entry::Item(key.as_str().into(), self.node()));
                        }
                        other => assert_eq!(other, ','),
                    }
                }
            }
            '[' => {
                let mut list = Vec::new();
                loop {
                    while self.0.next_if(|letter| letter.is_whitespace() || *letter == ',').is_some() {}
                    if self.0.next_if_eq(&']').is_some() {
                        return Node::List(list);
                    }
                    list.push(self.node());
                }
            }
            '"' => Node::Leaf(Value::text(self.string())),
            first => {
                let mut word = String::from(first);
                while let Some(letter) =
                    self.0.next_if(|letter| letter.is_alphanumeric() || matches!(letter, '.' | '-' | '+'))
                {
                    word.push(letter);
                }
                Node::Leaf(match word.as_str() {
                    "null" => Value::Null,
                    "true" => Value::Bool(true),
                    "false" => Value::Bool(false),
                    number => match number.parse() {
                        Ok(int) => Value::Int(int),
                        Err(_) => Value::Float(number.parse().expect("a number")),
                    },
                })
            }
        }
    }

    fn string(&mut self) -> String {
        let mut text = String::new();
        loop {
            match self.0.next().expect("a closed string") {
                '"' => return text,
                '\\' => text.push(match self.0.next().expect("an escape") {
                    'n' => '\n',
                    't' => '\t',
                    'u' => {
                        let hex: String = (0..4).filter_map(|_| self.0.next()).collect();
                        u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32).expect("a character")
                    }
                    other => other,
                }),
                letter => text.push(letter),
            }
        }
    }
}

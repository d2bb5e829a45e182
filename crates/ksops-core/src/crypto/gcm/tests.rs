//! Tests of AES-GCM: the vectors of its specification, and the composition against the crate.

use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::{IV_LEN, Keyed, TAG_LEN, new};
use crate::crypto::data_key::DataKey;
use aes_gcm::aead::KeyInit;
use aes_gcm::aes::Aes256;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}

/// The GCM specification (McGrew, Viega), test cases 4, 5, 6, 10, 11, 12, 16, 17 and 18: nonces of 12, 8 and 60 bytes
/// under keys of 16, 24 and 32 bytes.
#[test]
fn opens_the_vectors_of_the_specification() {
    let key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
    let plaintext = hex(concat!(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72",
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    ));
    let aad = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    let long = concat!(
        "9313225df88406e555909c5aff5269aa6a7a9538534f7da1e4c303d2a318a728",
        "c3c0c95156809539fcf0e2429a6b525416aedbf5a0de6a57a637b39b"
    );
    let vectors = [
        (
            32,
            "cafebabefacedbaddecaf888",
            "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
            "5bc94fbc3221a5db94fae95ae7121a47",
        ),
        (
            32,
            "cafebabefacedbad",
            "61353b4c2806934a777ff51fa22a4755699b2a714fcdc6f83766e5f97b6c742373806900e49f24b22b097544d4896b424989b5e1ebac0f07c23f4598",
            "3612d2e79e3b0785561be14aaca2fccb",
        ),
        (
            32,
            long,
            "8ce24998625615b603a033aca13fb894be9112a5c3a211a8ba262a3cca7e2ca701e4a9a4fba43c90ccdcb281d48c7c6fd62875d2aca417034c34aee5",
            "619cc5aefffe0bfa462af43c1699d050",
        ),
        (
            48,
            "cafebabefacedbaddecaf888",
            "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710",
            "2519498e80f1478f37ba55bd6d27618c",
        ),
        (
            48,
            "cafebabefacedbad",
            "0f10f599ae14a154ed24b36e25324db8c566632ef2bbb34f8347280fc4507057fddc29df9a471f75c66541d4d4dad1c9e93a19a58e8b473fa0f062f7",
            "65dcc57fcf623a24094fcca40d3533f8",
        ),
        (
            48,
            long,
            "d27e88681ce3243c4830165a8fdcf9ff1de9a1d8e6b447ef6ef7b79828666e4581e79012af34ddd9e2f037589b292db3e67c036745fa22e7e9b7373b",
            "dcf566ff291c25bbb8568fc3d376a6d9",
        ),
        (
            64,
            "cafebabefacedbaddecaf888",
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
            "76fc6ece0f4e1768cddf8853bb2d551b",
        ),
        (
            64,
            "cafebabefacedbad",
            "c3762df1ca787d32ae47c13bf19844cbaf1ae14d0b976afac52ff7d79bba9de0feb582d33934a4f0954cc2363bc73f7862ac430e64abe499f47c9b1f",
            "3a337dbf46a792c45e454913fe2ea8f2",
        ),
        (
            64,
            long,
            "5a8def2f0c9e53f1f75d7853659e2a20eeb2b22aafde6419a058ab4f6f746bf40fc0c3b780f244452da3ebf1c5d82cdea2418997200ef82e44ae7e3f",
            "a44a8266ee1c8eb0c8b5d4cf5ae9f19a",
        ),
    ];
    for (digits, iv, ciphertext, tag) in vectors {
        let gcm = new(&DataKey::new(hex(&key[..digits]).into()).expect("a key"));
        let tag: [u8; TAG_LEN] = hex(tag).try_into().expect("a tag");
        let mut text = hex(ciphertext);
        assert!(gcm.open(&hex(iv), &aad, &mut text, &tag), "{digits} {iv}");
        assert_eq!(text, plaintext);
        let mut text = hex(ciphertext);
        text[3] ^= 1;
        assert!(!gcm.open(&hex(iv), &aad, &mut text, &tag));
    }
}

proptest! {
    #[test]
    fn the_composition_agrees_with_the_crate(
        key in any::<[u8; 32]>(),
        iv in any::<[u8; IV_LEN]>(),
        aad in proptest::collection::vec(any::<u8>(), 0..40),
        plain in proptest::collection::vec(any::<u8>(), 0..70),
    ) {
        let keyed = Keyed::new(Aes256::new(&key.into()));
        let gcm = new(&DataKey::new(key.to_vec().into()).expect("a key"));
        let mut text = plain.clone();
        let tag = gcm.seal(&iv, &aad, &mut text).expect("short");
        let mut opened = text.clone();
        prop_assert!(keyed.open_composed(&iv, &aad, &mut opened, &tag));
        prop_assert_eq!(&opened, &plain);
        let mut opened = text;
        prop_assert!(gcm.open(&iv, &aad, &mut opened, &tag));
        prop_assert_eq!(opened, plain);
    }
}

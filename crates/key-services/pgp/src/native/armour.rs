//! Text to bytes: the ASCII armour.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// The bytes of the first armoured block; a file without armour is taken as it is. `None` if the armour is not in order.
pub(crate) fn bytes(file: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let is_text = file.trim_ascii_start().starts_with(b"-----BEGIN PGP");
    if !is_text {
        return Some(Zeroizing::new(file.to_vec()));
    }
    let text = str::from_utf8(file).ok()?;
    let mut lines = text.trim_start().lines().map(str::trim_end);
    lines.next();
    // Headers end at an empty line.
    lines.by_ref().find(|line| line.is_empty())?;
    let mut body = Zeroizing::new(String::with_capacity(text.len()));
    let mut is_closed = false;
    for line in lines {
        if line.starts_with("-----END PGP") {
            is_closed = true;
            break;
        }
        // The sum of old versions says nothing that the message does not.
        if !line.starts_with('=') {
            body.push_str(line);
        }
    }
    let bytes = STANDARD.decode(body.as_bytes()).ok().filter(|_| is_closed)?;
    Some(Zeroizing::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn armour_with_and_without_headers_is_read() {
        let text = |middle: &str| {
            format!("\n-----BEGIN PGP MESSAGE-----\r\n{middle}\r\n-----END PGP MESSAGE-----\n")
        };
        let read = |middle: &str| bytes(text(middle).as_bytes()).map(|bytes| bytes.to_vec());
        assert_eq!(read("\nAQID\n=abcd"), Some(vec![1, 2, 3]));
        assert_eq!(read("Version: x\nComment: y\n\nAQ\nID"), Some(vec![1, 2, 3]));
        assert_eq!(read("AQID"), None, "no empty line");
        assert_eq!(read("\nA*"), None);
        assert_eq!(bytes(b"-----BEGIN PGP MESSAGE-----\n\nAQID\n"), None, "not closed");
        assert_eq!(bytes(&[0x85, 1]).as_deref(), Some(&vec![0x85, 1]));
    }
}

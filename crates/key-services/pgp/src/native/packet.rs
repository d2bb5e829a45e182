//! Bytes to packets, and fields of packets.

use zeroize::Zeroizing;

/// A packet: what it is, and its body.
pub(crate) struct Packet {
    /// The number of its type.
    pub(crate) tag: u8,
    /// What is in it; may be a secret key.
    pub(crate) body: Zeroizing<Vec<u8>>,
}

/// Splits bytes into packets. `None` if they are cut off.
pub(crate) fn packets(bytes: &[u8]) -> Option<Vec<Packet>> {
    let mut rest = Fields(bytes);
    let mut found = Vec::new();
    while !rest.0.is_empty() {
        let head = rest.byte()?;
        if head & 0x80 == 0 {
            return None;
        }
        let packet = if head & 0x40 == 0 {
            let length = match head & 3 {
                0 => usize::from(rest.byte()?),
                1 => rest.number(2)?,
                2 => rest.number(4)?,
                // To the end.
                _ => rest.0.len(),
            };
            Packet { tag: head >> 2 & 0x0f, body: Zeroizing::new(rest.take(length)?.to_vec()) }
        } else {
            Packet { tag: head & 0x3f, body: new_body(&mut rest)? }
        };
        found.push(packet);
    }
    Some(found)
}

/// The body of a packet in the new format, which may come in pieces.
fn new_body(rest: &mut Fields<'_>) -> Option<Zeroizing<Vec<u8>>> {
    let mut body = Zeroizing::new(Vec::with_capacity(rest.0.len()));
    loop {
        let first = rest.byte()?;
        let (length, is_last) = match first {
            0..192 => (usize::from(first), true),
            192..224 => (((usize::from(first) - 192) << 8) + usize::from(rest.byte()?) + 192, true),
            224..255 => (1 << (first & 0x1f), false),
            255 => (rest.number(4)?, true),
        };
        body.extend_from_slice(rest.take(length)?);
        if is_last {
            return Some(body);
        }
    }
}

/// What is left of a body.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    /// The next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// The next byte.
    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|taken| taken[0])
    }

    /// A number of a few bytes.
    pub(crate) fn number(&mut self, count: usize) -> Option<usize> {
        Some(self.take(count)?.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    }

    /// A large number: a count of bits, then its bytes.
    pub(crate) fn large(&mut self) -> Option<&'a [u8]> {
        let bits = self.number(2)?;
        self.take(bits.div_ceil(8))
    }

    /// A text with its length before it.
    pub(crate) fn counted(&mut self) -> Option<&'a [u8]> {
        let count = usize::from(self.byte()?);
        self.take(count)
    }
}

#[cfg(test)]
mod tests {
    use super::packets;

    fn shape(bytes: &[u8]) -> Option<Vec<(u8, Vec<u8>)>> {
        Some(packets(bytes)?.into_iter().map(|packet| (packet.tag, packet.body.to_vec())).collect())
    }

    #[test]
    fn lengths_of_every_form_are_read() {
        assert_eq!(shape(&[0x84, 2, 7, 8]), Some(vec![(1, vec![7, 8])]));
        assert_eq!(shape(&[0x85, 0, 1, 7, 0xcb, 1, 9]), Some(vec![(1, vec![7]), (11, vec![9])]));
        assert_eq!(shape(&[0xa3, 1, 2, 3]), Some(vec![(8, vec![1, 2, 3])]));
        assert_eq!(shape(&[0xd2, 0xe1, 1, 2, 1, 3]), Some(vec![(18, vec![1, 2, 3])]));
        let mut long = vec![0xd2, 192, 8];
        long.extend([5; 200]);
        assert_eq!(shape(&long), Some(vec![(18, vec![5; 200])]));
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        for bytes in
            [&[0x84][..], &[0x84, 3, 1], &[0x04, 1, 1], &[0xd2, 255, 255, 255, 255, 255, 1], &[0xd2, 0xe1, 1]]
        {
            assert!(packets(bytes).is_none(), "{bytes:?}");
        }
        assert_eq!(shape(&[]), Some(Vec::new()));
    }
}

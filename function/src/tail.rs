//! The last part of a stream of bytes, as text.

/// Keeps the last bytes of what is pushed.
#[derive(Debug)]
pub(crate) struct Tail {
    limit: usize,
    bytes: Vec<u8>,
    /// True when something has been dropped from the front.
    cut: bool,
}

impl Tail {
    /// A tail of at most `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, bytes: Vec::new(), cut: false }
    }

    /// Appends `chunk`.
    pub(crate) fn push(&mut self, chunk: &[u8]) {
        self.bytes.extend_from_slice(chunk);
        // Dropped from the front only now and then, so that many small chunks cost no copy each.
        if self.bytes.len() > self.limit.saturating_mul(2) {
            self.trim();
        }
    }

    fn trim(&mut self) {
        let excess = self.bytes.len().saturating_sub(self.limit);
        self.cut |= excess > 0;
        self.bytes.drain(..excess);
    }

    /// The tail as text of at most `limit` bytes: what is not UTF-8 as U+FFFD, a character cut in half left out.
    pub(crate) fn into_text(mut self) -> String {
        self.trim();
        // Up to three bytes at the front may be the rest of a character whose first byte is gone.
        let rest_of_character = if self.cut {
            self.bytes.iter().take(3).take_while(|byte| (0x80..0xC0).contains(*byte)).count()
        } else {
            0
        };
        self.bytes.drain(..rest_of_character);
        let mut text = String::from_utf8_lossy(&self.bytes).into_owned();
        // U+FFFD is longer than the byte that it stands for.
        let excess = text.ceil_char_boundary(text.len().saturating_sub(self.limit));
        text.drain(..excess);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(limit: usize, chunks: &[&[u8]]) -> String {
        let mut tail = Tail::new(limit);
        chunks.iter().for_each(|chunk| tail.push(chunk));
        tail.into_text()
    }

    #[test]
    fn keeps_the_end_whatever_the_chunks() {
        assert_eq!(tail(4, &[b"ab"]), "ab");
        assert_eq!(tail(4, &[b"abcdef"]), "cdef");
        assert_eq!(tail(4, &[b"a", b"b", b"c", b"d", b"e", b"f", b"g", b"h", b"i"]), "fghi");
        assert_eq!(tail(0, &[b"abc"]), "");
    }

    #[test]
    fn a_character_cut_at_the_front_is_left_out() {
        assert_eq!(tail(4, &["aä€".as_bytes()]), "€");
        assert_eq!(tail(3, &["x😀ab".as_bytes()]), "ab");
    }

    #[test]
    fn bad_bytes_become_replacement_characters_within_the_limit() {
        assert_eq!(tail(8, &[b"a\xff\xfeb"]), "a\u{fffd}\u{fffd}b");
        assert_eq!(tail(4, &[b"\xff\xff\xff"]), "\u{fffd}");
        // Not the rest of a character: nothing was dropped before it.
        assert_eq!(tail(8, &[b"\x80a"]), "\u{fffd}a");
    }
}

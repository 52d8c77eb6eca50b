//! The last part of a stream of bytes, as text.

/// Keeps the last bytes of what is pushed, and counts all of them.
#[derive(Debug)]
pub(crate) struct Tail {
    limit: usize,
    bytes: Vec<u8>,
    /// The byte before `bytes`, if any was dropped.
    before: Option<u8>,
    /// Bytes pushed so far.
    length: u64,
}

/// Summary of a stream that has ended.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct TailText {
    /// The last part of the stream.
    pub(crate) text: String,
    /// Bytes in the whole stream.
    pub(crate) length: u64,
    /// True if `text` is less than the whole stream.
    pub(crate) truncated: bool,
}

impl Tail {
    /// A tail of at most `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, bytes: Vec::new(), before: None, length: 0 }
    }

    /// Appends `chunk`.
    pub(crate) fn push(&mut self, chunk: &[u8]) {
        self.length = self.length.saturating_add(chunk.len() as u64);
        self.bytes.extend_from_slice(chunk);
        // Trimming copies the tail. Once for each `limit` bytes keeps the cost of many small chunks low.
        if self.bytes.len() > self.limit.saturating_mul(2) {
            self.trim();
        }
    }

    fn trim(&mut self) {
        let excess = self.bytes.len().saturating_sub(self.limit);
        self.before = self.bytes.drain(..excess).next_back().or(self.before);
    }

    /// The tail as text of at most `limit` bytes. Bytes that are not UTF-8 become U+FFFD. If the front was dropped, the
    /// text starts at a line where possible (see [`line_start`]), never inside a character.
    pub(crate) fn into_text(mut self) -> TailText {
        self.trim();
        // Up to three bytes at the front may belong to a character whose first byte was dropped.
        let rest_of_character = if self.before.is_some_and(|byte| !byte.is_ascii()) {
            self.bytes.iter().take(3).take_while(|byte| (0x80..0xC0).contains(*byte)).count()
        } else {
            0
        };
        let mut text = String::from_utf8_lossy(&self.bytes[rest_of_character..]).into_owned();
        // U+FFFD is longer than the byte that it replaces.
        let excess = text.ceil_char_boundary(text.len().saturating_sub(self.limit));
        let after = match text.as_bytes()[..excess].last() {
            Some(byte) => Some(*byte),
            None => self.before,
        };
        text.drain(..excess);
        text.drain(..line_start(&text, after));
        TailText { text, length: self.length, truncated: after.is_some() }
    }
}

/// Where to cut a text that follows the byte `after`, so that it begins with a whole line. Returns 0 if no line starts
/// in the first half: then cutting would drop too much.
pub(crate) fn line_start(text: &str, after: Option<u8>) -> usize {
    if after.is_none_or(|byte| byte == b'\n') {
        return 0;
    }
    text.bytes().take(text.len() / 2).position(|byte| byte == b'\n').map_or(0, |newline| newline + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(limit: usize, chunks: &[&[u8]]) -> (String, u64, bool) {
        let mut tail = Tail::new(limit);
        chunks.iter().for_each(|chunk| tail.push(chunk));
        let TailText { text, length, truncated } = tail.into_text();
        (text, length, truncated)
    }

    fn text(limit: usize, bytes: &[u8]) -> String {
        tail(limit, &[bytes]).0
    }

    #[test]
    fn keeps_the_end_for_any_chunks_and_counts_all_of_them() {
        assert_eq!(tail(4, &[]), (String::new(), 0, false));
        assert_eq!(tail(4, &[b"ab"]), ("ab".to_owned(), 2, false));
        assert_eq!(tail(4, &[b"ab", b"cd"]), ("abcd".to_owned(), 4, false));
        assert_eq!(tail(4, &[b"abcdef"]), ("cdef".to_owned(), 6, true));
        let single = [b"a", b"b", b"c", b"d", b"e", b"f", b"g", b"h", b"i"].map(<[u8; 1]>::as_slice);
        assert_eq!(tail(4, &single), ("fghi".to_owned(), 9, true));
        assert_eq!(tail(0, &[b"abc"]), (String::new(), 3, true));
        assert_eq!(tail(0, &[]), (String::new(), 0, false));
    }

    #[test]
    fn a_tail_that_was_cut_begins_with_a_whole_line() {
        // The cut falls inside the first line, at its end, and at the start of the second.
        assert_eq!(text(12, b"first\nsecond\nthird\n"), "third\n");
        assert_eq!(text(14, b"first\nsecond\nthird\n"), "second\nthird\n");
        assert_eq!(text(13, b"first\nsecond\nthird\n"), "second\nthird\n");
        // Nothing was cut.
        assert_eq!(text(19, b"first\nsecond\nthird\n"), "first\nsecond\nthird\n");
        // Most of it is one line: its end is worth more than a clean start.
        assert_eq!(text(6, b"a long line\n"), " line\n");
        assert_eq!(text(8, b"a long line\nb\n"), " line\nb\n");
        // Trimmed while it grew: the byte before the tail is still known.
        let lines = vec![b"line\n".as_slice(); 1_000];
        assert_eq!(tail(10, &lines), ("line\nline\n".to_owned(), 5_000, true));
    }

    #[test]
    fn a_character_cut_at_the_front_is_left_out() {
        assert_eq!(tail(4, &["aä€".as_bytes()]), ("€".to_owned(), 6, true));
        assert_eq!(text(3, "x😀ab".as_bytes()), "ab");
    }

    #[test]
    fn bad_bytes_become_replacement_characters_within_the_limit() {
        assert_eq!(tail(8, &[b"a\xff\xfeb"]), ("a\u{fffd}\u{fffd}b".to_owned(), 4, false));
        // Three bytes fit, their replacements do not.
        assert_eq!(tail(4, &[b"\xff\xff\xff"]), ("\u{fffd}".to_owned(), 3, true));
        // Not the rest of a character: nothing was dropped before it, or a whole one was.
        assert_eq!(text(8, b"\x80a"), "\u{fffd}a");
        assert_eq!(text(2, b"x\x80a"), "a");
        assert_eq!(text(5, b"x\x80abcd"), "abcd");
    }
}

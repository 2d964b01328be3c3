//! Untrusted text, made safe to show.

/// Whether a character controls a terminal or the direction of text. New lines and tabs do not count.
pub fn is_obeyed(char: char) -> bool {
    let is_layout = matches!(char, '\n' | '\t');
    !is_layout && (char.is_control() || turns(char))
}

/// A text that can't disturb a terminal or end a comment: such [characters](is_obeyed) become escapes as in Rust, `\u{1b}`.
pub fn printable(text: &str) -> String {
    escaped(text, is_obeyed)
}

/// The same for a name, which stays on one line and in one column.
pub fn printable_name(name: &str) -> String {
    escaped(name, |char| is_obeyed(char) || matches!(char, '\n' | '\t'))
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        match is_escaped(char) {
            true => shown.extend(char.escape_default()),
            false => shown.push(char),
        }
    }
    shown
}

/// Whether a character makes what follows it run the other way, or begins a line for some programs.
fn turns(char: char) -> bool {
    let embeds = matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    embeds
        || matches!(
            char,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_written_out() {
        let text = "a\u{1b}[2J\u{9b}1m\u{202e}\n\tb\u{7f}\r";
        let shown = "a\\u{1b}[2J\\u{9b}1m\\u{202e}\n\tb\\u{7f}\\r";
        assert_eq!(printable(text), shown);
        assert_eq!(printable_name("a\n\tb"), "a\\n\\tb");
        assert_eq!(printable_name("żółw 🐢"), "żółw 🐢");
    }
}

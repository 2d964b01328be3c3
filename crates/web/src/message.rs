//! Requests and answers as bytes: a word with the length of the JSON, the JSON, and files one after the other. The JSON names them
//! in `files`, in their order, each with its `name` and how many `bytes` it has.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Files with their names.
pub type Files = Vec<(String, Vec<u8>)>;

/// Bytes of the word, whose lowest byte comes first.
const WORD: usize = 4;

#[derive(Serialize, Deserialize)]
struct Heading {
    name: String,
    bytes: usize,
}

#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    files: Vec<Heading>,
}

/// The JSON of a message, and its files.
///
/// # Errors
/// Why it is none.
pub fn read(message: &[u8]) -> Result<(&[u8], Files), String> {
    let (length, rest) = message
        .split_first_chunk::<WORD>()
        .ok_or("the message ends in its first word")?;
    let length = u32::from_le_bytes(*length) as usize;
    let (json, mut rest) = rest
        .split_at_checked(length)
        .ok_or("the message ends in its JSON")?;
    let head: Head = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let mut files = Files::new();
    for Heading { name, bytes } in head.files {
        let file;
        (file, rest) = rest
            .split_at_checked(bytes)
            .ok_or_else(|| format!("the message ends in {name}"))?;
        files.push((name, file.to_vec()));
    }
    match rest.is_empty() {
        true => Ok((json, files)),
        false => Err("the message goes on behind its files".into()),
    }
}

/// A message of an object and files, which it names.
pub fn write(mut json: Value, files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let headings = files.iter().map(|(name, bytes)| Heading {
        name: name.clone(),
        bytes: bytes.len(),
    });
    json["files"] = serde_json::json!(headings.collect::<Vec<_>>());
    let json = json.to_string();
    let mut message = (json.len() as u32).to_le_bytes().to_vec();
    message.extend(json.as_bytes());
    files.iter().for_each(|(_, bytes)| message.extend(bytes));
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_and_its_parts_do_not() {
        let files = vec![("a.lua".into(), b"return 1".to_vec()), ("b".into(), vec![])];
        let message = write(serde_json::json!({"do": "about"}), &files);
        let (json, back) = read(&message).unwrap();
        assert!(json.starts_with(b"{\"do\":\"about\""));
        assert_eq!(back, files);
        for end in 0..message.len() {
            assert!(read(&message[..end]).is_err(), "{end}");
        }
        assert!(read(&[&message[..], b"x"].concat()).is_err());
    }
}

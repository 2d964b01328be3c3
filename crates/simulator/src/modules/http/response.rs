//! An answer that comes piece by piece.

use std::collections::BTreeMap;

/// So many headers are taken.
const HEADERS: usize = 100;

pub(super) enum Progress {
    Waits,
    Whole,
    /// It is no HTTP, or was cut off.
    Broken,
}

struct Head {
    status: u16,
    /// By their names in lower case; the last one of a name counts.
    headers: BTreeMap<String, String>,
}

pub(super) struct Response {
    /// What came and was not looked at.
    raw: Vec<u8>,
    head: Option<Head>,
    body: Vec<u8>,
    has_no_body: bool,
}

impl Response {
    pub fn new(has_no_body: bool) -> Self {
        Self {
            raw: Vec::new(),
            head: None,
            body: Vec::new(),
            has_no_body,
        }
    }

    pub fn add(&mut self, bytes: &[u8]) {
        self.raw.extend_from_slice(bytes);
    }

    /// Looks at what has come, up to the end of the connection where that `is_over`.
    pub fn progress(&mut self, is_over: bool) -> Progress {
        while self.head.is_none() {
            match read_head(&self.raw) {
                Err(_) => return Progress::Broken,
                Ok(None) if is_over => return Progress::Broken,
                Ok(None) => return Progress::Waits,
                Ok(Some((length, head))) => {
                    self.raw.drain(..length);
                    // One that goes on is still to come.
                    self.head = (!(100..200).contains(&head.status)).then_some(head);
                }
            }
        }
        let Some(head) = &self.head else {
            return Progress::Waits;
        };
        if self.has_no_body || matches!(head.status, 204 | 304) {
            return Progress::Whole;
        }
        let header = |name: &str| head.headers.get(name).map(|value| value.trim());
        let is_chunked = header("transfer-encoding")
            .is_some_and(|value| value.to_ascii_lowercase().ends_with("chunked"));
        if is_chunked {
            return self.chunks(is_over);
        }
        let length = header("content-length").map(str::parse::<usize>);
        self.body.append(&mut self.raw);
        match length {
            Some(Err(_)) => Progress::Broken,
            Some(Ok(length)) if self.body.len() >= length => {
                self.body.truncate(length);
                Progress::Whole
            }
            Some(Ok(_)) if is_over => Progress::Broken,
            None if is_over => Progress::Whole,
            _ => Progress::Waits,
        }
    }

    fn chunks(&mut self, is_over: bool) -> Progress {
        loop {
            let (start, size) = match httparse::parse_chunk_size(&self.raw) {
                Ok(httparse::Status::Complete((start, size))) => (start, size),
                Ok(httparse::Status::Partial) if !is_over => return Progress::Waits,
                _ => return Progress::Broken,
            };
            if size == 0 {
                return Progress::Whole;
            }
            let end = usize::try_from(size)
                .ok()
                .and_then(|size| start.checked_add(size));
            let Some(end) = end else {
                return Progress::Broken;
            };
            // A line's end is behind it.
            if self.raw.len() < end.saturating_add(2) {
                return match is_over {
                    true => Progress::Broken,
                    false => Progress::Waits,
                };
            }
            self.body.extend_from_slice(&self.raw[start..end]);
            self.raw.drain(..end + 2);
        }
    }

    pub fn status(&self) -> i64 {
        self.head.as_ref().map_or(-1, |head| head.status.into())
    }

    pub fn headers(&self) -> BTreeMap<String, String> {
        let head = self.head.as_ref();
        head.map_or_else(BTreeMap::new, |head| head.headers.clone())
    }

    pub fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// Where a redirection leads.
    pub fn location(&self) -> Option<String> {
        let head = self.head.as_ref()?;
        let is_redirection = (300..=308).contains(&head.status) && head.status != 304;
        head.headers
            .get("location")
            .filter(|_| is_redirection)
            .cloned()
    }
}

fn read_head(raw: &[u8]) -> Result<Option<(usize, Head)>, httparse::Error> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(raw)? else {
        return Ok(None);
    };
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let headers = response.headers.iter();
    let headers = headers.map(|h| (h.name.to_lowercase(), text(h.value)));
    Ok(Some((
        length,
        Head {
            status: response.code.unwrap_or_default(),
            headers: headers.collect(),
        },
    )))
}

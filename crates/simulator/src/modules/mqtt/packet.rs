//! The packets of MQTT 3.1.1 (OASIS standard, chapters 2 and 3) that a client sends, and where one that comes ends.

pub(super) const CONNACK: u8 = 2;
pub(super) const PUBLISH: u8 = 3;
pub(super) const PUBACK: u8 = 4;
pub(super) const PUBREC: u8 = 5;
pub(super) const PUBREL: u8 = 6;
pub(super) const PUBCOMP: u8 = 7;
pub(super) const SUBACK: u8 = 9;
pub(super) const UNSUBACK: u8 = 11;
pub(super) const PINGREQ: u8 = 12;
pub(super) const PINGRESP: u8 = 13;
const CONNECT: u8 = 1;
const SUBSCRIBE: u8 = 8;
const UNSUBSCRIBE: u8 = 10;
const DISCONNECT: u8 = 14;

/// A message with where it goes and how.
#[derive(Clone, Default)]
pub(super) struct Message {
    pub topic: Vec<u8>,
    pub payload: Vec<u8>,
    pub qos: u8,
    pub is_retained: bool,
}

/// Topics, each with a quality of service.
pub(super) type Topics = Vec<(Vec<u8>, u8)>;

/// What a client says of itself.
#[derive(Default)]
pub(super) struct Identity {
    pub id: Vec<u8>,
    pub keepalive: u16,
    pub user: Option<Vec<u8>>,
    pub password: Option<Vec<u8>>,
    pub is_clean: bool,
    pub will: Option<Message>,
}

/// The first byte and the length in front of a packet's body.
#[derive(Clone, Copy)]
pub(super) struct Header {
    pub kind: u8,
    pub flags: u8,
    /// Bytes of the header, and of all.
    pub head: usize,
    pub total: usize,
}

impl Header {
    /// That of the packet that begins here; nothing while too little has come, an error where the length has no end.
    pub fn read(bytes: &[u8]) -> Result<Option<Header>, ()> {
        let Some((first, rest)) = bytes.split_first() else {
            return Ok(None);
        };
        let mut length = 0;
        for (at, byte) in rest.iter().take(4).enumerate() {
            length |= usize::from(byte & 127) << (7 * at);
            if byte & 128 == 0 {
                let head = at + 2;
                return Ok(Some(Header {
                    kind: first >> 4,
                    flags: first & 15,
                    head,
                    total: head + length,
                }));
            }
        }
        match rest.len() < 4 {
            true => Ok(None),
            false => Err(()),
        }
    }

    pub fn qos(&self) -> u8 {
        self.flags >> 1 & 3
    }
}

/// A message that came, as far as it has: topic, number where it is acknowledged, and payload.
pub(super) fn published(header: &Header, packet: &[u8]) -> Option<(Vec<u8>, u16, Vec<u8>)> {
    let body = packet.get(header.head..)?;
    let (length, body) = body.split_first_chunk::<2>()?;
    let (topic, mut body) = body.split_at_checked(u16::from_be_bytes(*length).into())?;
    let mut number = 0;
    if header.qos() > 0 {
        let (two, rest) = body.split_first_chunk::<2>()?;
        number = u16::from_be_bytes(*two);
        body = rest;
    }
    Some((topic.to_vec(), number, body.to_vec()))
}

/// The number of the packet that this one answers.
pub(super) fn number(header: &Header, packet: &[u8]) -> Option<u16> {
    let body = packet.get(header.head..)?;
    Some(u16::from_be_bytes(*body.first_chunk()?))
}

fn packet(kind: u8, flags: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![kind << 4 | flags];
    let mut length = body.len();
    loop {
        let low = (length & 127) as u8;
        length >>= 7;
        if length == 0 {
            packet.push(low);
            break;
        }
        packet.push(low | 128);
    }
    packet.extend_from_slice(body);
    packet
}

/// Text behind its length. What is longer than that can say was refused before.
fn text(body: &mut Vec<u8>, text: &[u8]) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    body.extend(length.to_be_bytes());
    body.extend(&text[..length.into()]);
}

pub(super) fn connect(identity: &Identity) -> Vec<u8> {
    let mut flags = u8::from(identity.is_clean) << 1;
    flags |= u8::from(identity.user.is_some()) << 7;
    flags |= u8::from(identity.password.is_some()) << 6;
    if let Some(will) = &identity.will {
        flags |= 1 << 2 | will.qos << 3 | u8::from(will.is_retained) << 5;
    }
    let mut body = b"\0\x04MQTT\x04".to_vec();
    body.push(flags);
    body.extend(identity.keepalive.to_be_bytes());
    text(&mut body, &identity.id);
    let will = identity.will.iter();
    let will = will.flat_map(|will| [&will.topic, &will.payload]);
    for part in will.chain(&identity.user).chain(&identity.password) {
        text(&mut body, part);
    }
    packet(CONNECT, 0, &body)
}

pub(super) fn publish(message: &Message, number: u16) -> Vec<u8> {
    let mut body = Vec::new();
    text(&mut body, &message.topic);
    if message.qos > 0 {
        body.extend(number.to_be_bytes());
    }
    body.extend(&message.payload);
    let flags = message.qos << 1 | u8::from(message.is_retained);
    packet(PUBLISH, flags, &body)
}

/// The answer of this kind to a packet of this number.
pub(super) fn answer(kind: u8, number: u16) -> Vec<u8> {
    let flags = if kind == PUBREL { 2 } else { 0 };
    packet(kind, flags, &number.to_be_bytes())
}

pub(super) fn subscribe(number: u16, topics: &Topics) -> Vec<u8> {
    let mut body = number.to_be_bytes().to_vec();
    for (topic, qos) in topics {
        text(&mut body, topic);
        body.push(*qos);
    }
    packet(SUBSCRIBE, 2, &body)
}

pub(super) fn unsubscribe(number: u16, topics: &Topics) -> Vec<u8> {
    let mut body = number.to_be_bytes().to_vec();
    for (topic, _) in topics {
        text(&mut body, topic);
    }
    packet(UNSUBSCRIBE, 2, &body)
}

pub(super) fn ping(kind: u8) -> Vec<u8> {
    packet(kind, 0, &[])
}

pub(super) fn disconnect() -> Vec<u8> {
    packet(DISCONNECT, 0, &[])
}

//! `mqtt`: a client for MQTT 3.1.1, without TLS.

mod client;
mod packet;

use std::rc::Rc;

use mlua::{Lua, Value};

use super::net::Net;
use crate::api::{Args, Library};
use crate::error::{Raise, raise};
use client::{Client, EVENTS, Event};
use packet::{Identity, Message, Topics};

/// What a keepalive of 0 stands for, in seconds, and a limit of 0, in bytes.
const KEEPALIVE: u16 = 60;
const MESSAGE: usize = 1024;
/// The firmware's buffer for one packet.
const PACKET: usize = 1460;

const CONSTANTS: [(&str, i64); 11] = [
    ("CONN_FAIL_SERVER_NOT_FOUND", client::SERVER_NOT_FOUND),
    ("CONN_FAIL_NOT_A_CONNACK_MSG", client::NOT_A_CONNACK),
    ("CONN_FAIL_DNS", client::DNS),
    ("CONN_FAIL_TIMEOUT_RECEIVING", client::TIMEOUT),
    ("CONN_FAIL_TIMEOUT_SENDING", -1),
    ("CONNACK_ACCEPTED", 0),
    ("CONNACK_REFUSED_PROTOCOL_VER", 1),
    ("CONNACK_REFUSED_ID_REJECTED", 2),
    ("CONNACK_REFUSED_SERVER_UNAVAILABLE", 3),
    ("CONNACK_REFUSED_BAD_USER_OR_PASS", 4),
    ("CONNACK_REFUSED_NOT_AUTHORIZED", 5),
];

/// The Lua object of a client.
struct Object(Rc<Client>);

pub(crate) fn open(lua: &Lua, net: &Net) -> mlua::Result<()> {
    let library = Library::methods(lua, "mqtt.client:")?;
    library.function("connect", |_, args| connect(&client(args)?, args))?;
    library.function("close", |_, args| {
        client(args)?.close();
        Ok(())
    })?;
    library.function("lwt", |_, args| {
        let (Ok(topic), Ok(message)) = (args.string(2), args.string(3)) else {
            return args.bad(2, "need lwt topic and message");
        };
        client(args)?.set_will(Message {
            topic: topic.as_bytes().to_vec(),
            payload: message.as_bytes().to_vec(),
            qos: (args.opt_integer(4, 0)? & 3) as u8,
            is_retained: args.opt_integer(5, 0)? != 0,
        });
        Ok(())
    })?;
    library.function("on", |_, args| {
        let (name, function) = (args.text(2)?, args.function(3)?);
        let Some((_, event)) = EVENTS.iter().find(|(event, _)| *event == name) else {
            return args.bad(2, &format!("invalid option '{name}'"));
        };
        client(args)?.on(*event, Some(function));
        Ok(())
    })?;
    library.function("publish", |_, args| publish(&client(args)?, args))?;
    library.function("subscribe", |_, args| {
        let client = client(args)?;
        client.check()?;
        let (topics, index) = topics(args, true)?;
        client.on(Event::Suback, args.opt_function(index));
        Ok(send(&client, &packet::subscribe(client.number(), &topics)))
    })?;
    library.function("unsubscribe", |_, args| {
        let client = client(args)?;
        client.check()?;
        let (topics, index) = topics(args, false)?;
        client.on(Event::Unsuback, args.opt_function(index));
        Ok(send(
            &client,
            &packet::unsubscribe(client.number(), &topics),
        ))
    })?;
    library.methods_of::<Object>()?;

    let library = Library::new(lua, "mqtt.")?;
    for (name, value) in CONSTANTS {
        library.constant(name, value)?;
    }
    let objects = net.objects();
    let names = net.names();
    library.function("Client", move |lua, args| {
        let (identity, limit) = identity(args)?;
        let client = Client::new(&objects, &names, identity, limit);
        Ok(lua.create_any_userdata(Object(Rc::new(client)))?)
    })?;
    library.global("mqtt")
}

fn client(args: &Args) -> Result<Rc<Client>, Raise> {
    Ok(Rc::clone(&args.object::<Object>("mqtt.socket")?.0))
}

/// The arguments of `mqtt.Client`, those with the right type, and the longest message to accept.
fn identity(args: &Args) -> Result<(Identity, usize), Raise> {
    let mut index = 1;
    let mut next_text = |otherwise: Option<&str>| match args.value(index) {
        Value::String(text) => {
            index += 1;
            Some(text.as_bytes().to_vec())
        }
        _ => otherwise.map(|text| text.as_bytes().to_vec()),
    };
    let id = next_text(Some("NodeMCU_51a1a7")).unwrap_or_default();
    let keepalive = match args.is_number(index) {
        true => {
            index += 1;
            args.integer(index - 1)? as u16
        }
        false => 0,
    };
    let mut next_text = || match args.value(index) {
        Value::String(text) => {
            index += 1;
            Some(text.as_bytes().to_vec())
        }
        _ => None,
    };
    let (user, password) = (next_text(), next_text());
    let mut next_number = |otherwise: i64| match args.is_number(index) {
        true => {
            index += 1;
            args.integer(index - 1)
        }
        false => Ok(otherwise),
    };
    let (is_clean, limit) = (next_number(1)? != 0, next_number(0)?);
    let identity = Identity {
        id,
        keepalive: if keepalive == 0 { KEEPALIVE } else { keepalive },
        user,
        password,
        is_clean,
        will: None,
    };
    let limit = match usize::try_from(limit) {
        Ok(limit @ 1..) => limit,
        _ => MESSAGE,
    };
    Ok((identity, limit))
}

fn connect(client: &Rc<Client>, args: &Args) -> Result<(), Raise> {
    let mut index = 2;
    let host = match args.value(index) {
        Value::String(host) => host.to_string_lossy(),
        _ => return raise("invalid domain"),
    };
    index += 1;
    let mut port = 1883;
    if args.is_number(index) {
        port = args.integer(index)? as u16;
        index += 1;
    }
    if matches!(args.value(index), Value::Boolean(_)) || args.is_number(index) {
        let is_secure = match args.value(index) {
            Value::Boolean(is_secure) => *is_secure,
            _ => args.integer(index)? != 0,
        };
        if is_secure {
            return raise("ssl not available");
        }
        index += 1;
    }
    let object = args.value(1).as_userdata().cloned();
    client.connect(&host, port, object)?;
    client.on(Event::Connect, args.opt_function(index));
    client.on(Event::Connfail, args.opt_function(index + 1));
    Ok(())
}

fn publish(client: &Rc<Client>, args: &Args) -> Result<bool, Raise> {
    client.check()?;
    let (topic, payload) = (args.string(2)?, args.string(3)?);
    let message = Message {
        topic: topic.as_bytes().to_vec(),
        payload: payload.as_bytes().to_vec(),
        qos: (args.integer(4)? & 3) as u8,
        is_retained: args.integer(5)? != 0,
    };
    let number = match message.qos {
        0 => 0,
        _ => client.number(),
    };
    client.on(Event::Puback, args.opt_function(6));
    let is_sent = send(client, &packet::publish(&message, number));
    if is_sent && message.qos == 0 {
        client.await_sent();
    }
    Ok(is_sent)
}

/// Topics with their quality, one or a table of them, and the place of the argument behind.
fn topics(args: &Args, has_quality: bool) -> Result<(Topics, usize), Raise> {
    let mut topics = Vec::new();
    let Value::Table(table) = args.value(2) else {
        let topic = args.string(2)?.as_bytes().to_vec();
        return Ok(match has_quality {
            true => (vec![(topic, (args.integer(3)? & 3) as u8)], 4),
            false => (vec![(topic, 0)], 3),
        });
    };
    for pair in table.pairs::<mlua::LuaString, Value>() {
        let (topic, quality) = pair?;
        let quality = match quality {
            Value::Integer(quality) => quality,
            Value::Number(quality) => quality as i64,
            _ if has_quality => return args.bad(2, "number expected"),
            _ => 0,
        };
        topics.push((topic.as_bytes().to_vec(), (quality & 3) as u8));
    }
    topics.sort();
    match topics.is_empty() {
        true => raise("no topics found"),
        false => Ok((topics, 3)),
    }
}

/// Sends a packet, unless it is larger than the firmware's buffer.
fn send(client: &Client, packet: &[u8]) -> bool {
    let fits = packet.len() <= PACKET;
    if fits {
        client.send(packet);
    }
    fits
}

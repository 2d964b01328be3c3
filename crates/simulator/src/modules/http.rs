//! `http`: a client for HTTP, without TLS. A request that fails, or takes a minute, has the status -1.

mod request;
mod response;

use std::rc::Rc;

use mlua::{Function, Lua, Value};

use super::net::Net;
use crate::api::{Args, Library};
use crate::error::{Raise, raise};
use request::{Request, Target};

pub(crate) fn open(lua: &Lua, net: &Net) -> mlua::Result<()> {
    let net = Rc::new((net.objects(), net.names()));
    let library = Library::new(lua, "http.")?;
    for (name, method) in [("post", "POST"), ("put", "PUT"), ("delete", "DELETE")] {
        library.with(&net, name, move |_, net, args| {
            let body = text(args, 3)?;
            let request = request(args, method, 2, body, callback(args, 4)?)?;
            request.start(&net.0, &net.1)
        })?;
    }
    library.with(&net, "get", |_, net, args| {
        let request = request(args, "GET", 2, Vec::new(), callback(args, 3)?)?;
        request.start(&net.0, &net.1)
    })?;
    library.with(&net, "request", |_, net, args| {
        let (method, body) = (args.text(2)?, text(args, 4)?);
        let request = request(args, &method, 3, body, callback(args, 5)?)?;
        request.start(&net.0, &net.1)
    })?;
    library.global("http")
}

fn callback(args: &Args, index: usize) -> Result<Option<Function>, Raise> {
    Ok(args.opt_function(index))
}

fn text(args: &Args, index: usize) -> Result<Vec<u8>, Raise> {
    let text = args.opt_string(index)?;
    Ok(text.map_or_else(Vec::new, |text| text.as_bytes().to_vec()))
}

fn request(
    args: &Args,
    method: &str,
    headers: usize,
    body: Vec<u8>,
    callback: Option<Function>,
) -> Result<Request, Raise> {
    let url = args.text(1)?;
    let Some(target) = Target::of(&url) else {
        return match url.starts_with("https://") {
            true => raise("https is not simulated"),
            false => args.bad(1, "http:// and a host expected"),
        };
    };
    let headers = match args.value(headers) {
        Value::Nil => Vec::new(),
        _ => text(args, headers)?,
    };
    Ok(Request {
        method: method.to_owned(),
        target,
        headers,
        body,
        callback,
        redirections: 0,
    })
}

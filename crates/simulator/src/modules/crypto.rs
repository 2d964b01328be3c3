//! `crypto`: digests, HMAC, XOR masks and AES with keys of 128 bits.

use std::cell::RefCell;
use std::rc::Rc;

use aes::Aes128;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use digest::{Digest, DynDigest, Mac};
use hmac::Hmac;
use md5::Md5;
use mlua::{BString, Lua};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use crate::api::{Args, Library};
use crate::collector;
use crate::device::Device;
use crate::error::{Raise, raise};

/// The bytes of a block of AES.
const BLOCK: usize = 16;

/// A digest or a HMAC under way.
trait Hash {
    fn update(&mut self, bytes: &[u8]);
    fn digest(&self) -> Vec<u8>;
}

struct Plain(Box<dyn DynDigest>);

impl Hash for Plain {
    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn digest(&self) -> Vec<u8> {
        self.0.box_clone().finalize().into_vec()
    }
}

struct Keyed<M>(M);

impl<M: Mac + Clone> Hash for Keyed<M> {
    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn digest(&self) -> Vec<u8> {
        self.0.clone().finalize().into_bytes().to_vec()
    }
}

/// The Lua object of `new_hash` and `new_hmac`.
struct Object(RefCell<Box<dyn Hash>>);

fn plain(args: &Args) -> Result<Box<dyn Hash>, Raise> {
    let digest: Box<dyn DynDigest> = match args.text(1)?.to_uppercase().as_str() {
        "MD5" => Box::new(Md5::new()),
        "SHA1" => Box::new(Sha1::new()),
        "SHA256" => Box::new(Sha256::new()),
        "SHA384" => Box::new(Sha384::new()),
        "SHA512" => Box::new(Sha512::new()),
        _ => return raise("unknown hash mech"),
    };
    Ok(Box::new(Plain(digest)))
}

fn keyed(args: &Args, key: usize) -> Result<Box<dyn Hash>, Raise> {
    let key = args.string(key)?;
    let key = key.as_bytes();
    fn of<M: Mac + KeyInit + Clone + 'static>(key: &[u8]) -> Result<Box<dyn Hash>, Raise> {
        match <M as KeyInit>::new_from_slice(key) {
            Ok(mac) => Ok(Box::new(Keyed(mac))),
            Err(_) => raise("crypto op failed"),
        }
    }
    match args.text(1)?.to_uppercase().as_str() {
        "MD5" => of::<Hmac<Md5>>(&key),
        "SHA1" => of::<Hmac<Sha1>>(&key),
        "SHA256" => of::<Hmac<Sha256>>(&key),
        "SHA384" => of::<Hmac<Sha384>>(&key),
        "SHA512" => of::<Hmac<Sha512>>(&key),
        _ => raise("unknown hash mech"),
    }
}

fn whole(mut hash: Box<dyn Hash>, bytes: &[u8]) -> BString {
    hash.update(bytes);
    hash.digest().into()
}

fn mask(lua: &Lua, args: &Args) -> Result<BString, Raise> {
    let (message, mask) = (args.string(1)?, args.string(2)?);
    let mask = mask.as_bytes();
    if mask.is_empty() {
        return raise("invalid argument: mask");
    }
    let bytes = message.as_bytes();
    let masked = bytes.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b);
    collector::joined(lua, masked.collect())
}

/// What `encrypt` and `decrypt` are given: the key, the text in whole blocks, and the initial vector of CBC.
struct Operation {
    cipher: Aes128,
    blocks: Vec<[u8; BLOCK]>,
    vector: Option<[u8; BLOCK]>,
}

impl Operation {
    fn of(args: &Args) -> Result<Self, Raise> {
        let name = args.text(1)?;
        let is_chained = match name.to_uppercase().as_str() {
            "AES-ECB" => false,
            "AES-CBC" => true,
            _ => return raise(format!("unknown cipher: {name}")),
        };
        let (key, text, vector) = (args.string(2)?, args.string(3)?, args.opt_string(4)?);
        let Ok(cipher) = Aes128::new_from_slice(&key.as_bytes()) else {
            return raise("crypto op failed");
        };
        let block = |bytes: &[u8]| {
            let mut block = [0; BLOCK];
            block[..bytes.len()].copy_from_slice(bytes);
            block
        };
        let vector = vector.map_or_else(Vec::new, |vector| vector.as_bytes().to_vec());
        if is_chained && vector.len() > BLOCK {
            return raise("crypto op failed");
        }
        Ok(Self {
            cipher,
            blocks: text.as_bytes().chunks(BLOCK).map(block).collect(),
            vector: is_chained.then(|| block(&vector)),
        })
    }

    fn encrypt(self) -> BString {
        let mut vector = self.vector;
        let mut out = Vec::new();
        for block in self.blocks {
            let mut block = Array::from(xor(block, vector));
            self.cipher.encrypt_block(&mut block);
            vector = vector.map(|_| block.into());
            out.extend_from_slice(&block);
        }
        out.into()
    }

    fn decrypt(self) -> BString {
        let mut vector = self.vector;
        let mut out = Vec::new();
        for block in self.blocks {
            let mut clear = Array::from(block);
            self.cipher.decrypt_block(&mut clear);
            out.extend_from_slice(&xor(clear.into(), vector));
            vector = vector.map(|_| block);
        }
        out.into()
    }
}

fn xor(mut block: [u8; BLOCK], other: Option<[u8; BLOCK]>) -> [u8; BLOCK] {
    for (byte, other) in block.iter_mut().zip(other.unwrap_or_default()) {
        *byte ^= other;
    }
    block
}

pub(crate) fn open(lua: &Lua, device: &Rc<Device>) -> mlua::Result<()> {
    let object = Library::methods(lua, "crypto.hash:")?;
    object.function("update", |_, args| {
        let text = args.string(2)?;
        let object = args.object::<Object>("crypto.hash")?;
        object.0.borrow_mut().update(&text.as_bytes());
        Ok(())
    })?;
    object.function("finalize", |_, args| {
        let object = args.object::<Object>("crypto.hash")?;
        let digest = object.0.borrow().digest();
        Ok(BString::from(digest))
    })?;
    object.methods_of::<Object>()?;

    let library = Library::new(lua, "crypto.")?;
    library.function("sha1", |_, args| {
        Ok(BString::from(
            Sha1::digest(args.string(1)?.as_bytes()).to_vec(),
        ))
    })?;
    library.function("hash", |_, args| {
        Ok(whole(plain(args)?, &args.string(2)?.as_bytes()))
    })?;
    library.function("hmac", |_, args| {
        Ok(whole(keyed(args, 3)?, &args.string(2)?.as_bytes()))
    })?;
    library.with(device, "fhash", |_, device, args| {
        let hash = plain(args)?;
        match device.flash.read(&args.string(2)?.as_bytes()) {
            Some(bytes) => Ok(whole(hash, &bytes)),
            None => raise("file does not exist"),
        }
    })?;
    library.function("new_hash", |lua, args| {
        Ok(lua.create_any_userdata(Object(RefCell::new(plain(args)?)))?)
    })?;
    library.function("new_hmac", |lua, args| {
        Ok(lua.create_any_userdata(Object(RefCell::new(keyed(args, 2)?)))?)
    })?;
    library.function("mask", mask)?;
    library.function("encrypt", |_, args| Ok(Operation::of(args)?.encrypt()))?;
    library.function("decrypt", |_, args| Ok(Operation::of(args)?.decrypt()))?;
    library.global("crypto")
}

-- Digests and HMACs of the standards' own examples (FIPS 180, RFC 1321, RFC 2202), AES of FIPS 197 and SP 800-38A.
local hex, from = encoder.toHex, encoder.fromHex
print(hex(crypto.hash("MD5", "abc")))
--> 900150983cd24fb0d6963f7d28e17f72
print(hex(crypto.hash("sha1", "abc")), crypto.sha1("abc") == crypto.hash("SHA1", "abc"))
--> a9993e364706816aba3e25717850c26c9cd0d89d	true
print(hex(crypto.hash("sha256", "abc")))
--> ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
print(hex(crypto.hash("sha384", "abc")):sub(1, 16), hex(crypto.hash("sha512", "abc")):sub(1, 16))
--> cb00753f45a35e8b	ddaf35a193617aba
print(hex(crypto.hmac("sha1", "what do ya want for nothing?", "Jefe")))
--> effcdf6ae5eb2fa2d27416d5f184df9c259a7c79
print(hex(crypto.hmac("md5", "what do ya want for nothing?", "Jefe")))
--> 750c783e6ab0b503eaa86e310a5db738
local hash = crypto.new_hash("SHA1")
hash:update("a")
hash:update("bc")
print(hex(hash:finalize()))
--> a9993e364706816aba3e25717850c26c9cd0d89d
local hmac = crypto.new_hmac("sha1", "Jefe")
hmac:update("what do ya want ")
hmac:update("for nothing?")
print(hex(hmac:finalize()))
--> effcdf6ae5eb2fa2d27416d5f184df9c259a7c79
file.putcontents("f", "abc")
print(hex(crypto.fhash("sha1", "f")))
--> a9993e364706816aba3e25717850c26c9cd0d89d
print(hex(crypto.mask("abc", " ")), crypto.mask(crypto.mask("some message", "X0Y7"), "X0Y7"))
--> 414243	some message
local key, plain = from("000102030405060708090a0b0c0d0e0f"), from("00112233445566778899aabbccddeeff")
print(hex(crypto.encrypt("AES-ECB", key, plain)))
--> 69c4e0d86a7b0430d8cdb78070b4c55a
key = from("2b7e151628aed2a6abf7158809cf4f3c")
plain = from("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")
local cipher = crypto.encrypt("aes-cbc", key, plain, from("000102030405060708090a0b0c0d0e0f"))
print(hex(cipher))
--> 7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2
print(crypto.decrypt("AES-CBC", key, cipher, from("000102030405060708090a0b0c0d0e0f")) == plain)
--> true
local short = crypto.decrypt("AES-ECB", key, crypto.encrypt("AES-ECB", key, "Hi, I'm secret!"))
print(#short, short:sub(1, 15))
--> 16	Hi, I'm secret!
for _, call in ipairs {
  function() crypto.hash("sha3", "") end,
  function() crypto.new_hmac("none", "") end,
  function() crypto.fhash("sha1", "nothing") end,
  function() crypto.mask("a", "") end,
  function() crypto.encrypt("DES", key, "") end,
  function() crypto.encrypt("AES-ECB", "short", "") end,
} do
  print(select(2, pcall(call)))
end
--> crypto.lua:44: unknown hash mech
--> crypto.lua:45: unknown hash mech
--> crypto.lua:46: file does not exist
--> crypto.lua:47: invalid argument: mask
--> crypto.lua:48: unknown cipher: DES
--> crypto.lua:49: crypto op failed

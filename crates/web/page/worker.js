// The library runs here, so that the page can be used meanwhile. The first message is {module}, each later one {request, files}.
"use strict";

let library;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const WORD = 4;

// As crates/web/src/message.rs has it: a word with the length of the JSON, the JSON, the files.
function toBytes(request, files) {
  const headings = files.map(({ name, bytes }) => ({ name, bytes: bytes.length }));
  const json = encoder.encode(JSON.stringify({ ...request, files: headings }));
  const size = WORD + json.length + files.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const message = new Uint8Array(size);
  new DataView(message.buffer).setUint32(0, json.length, true);
  message.set(json, WORD);
  let at = WORD + json.length;
  for (const { bytes } of files) {
    message.set(bytes, at);
    at += bytes.length;
  }
  return message;
}

function fromBytes(message) {
  const length = new DataView(message.buffer).getUint32(0, true);
  const answer = JSON.parse(decoder.decode(message.subarray(WORD, WORD + length)));
  let at = WORD + length;
  answer.files = answer.files.map(({ name, bytes }) => {
    at += bytes;
    return { name, bytes: message.slice(at - bytes, at) };
  });
  return answer;
}

function call(message) {
  const { memory, fastlua_request, fastlua_call, fastlua_done } = library.exports;
  const address = fastlua_request(message.length);
  new Uint8Array(memory.buffer, address, message.length).set(message);
  const answer = fastlua_call(address, message.length);
  const length = new DataView(memory.buffer).getUint32(answer, true);
  const bytes = new Uint8Array(memory.buffer, answer + WORD, length).slice();
  fastlua_done(answer, WORD + length);
  return bytes;
}

onmessage = ({ data }) => {
  if (data.module) {
    library = new WebAssembly.Instance(data.module, {});
    return;
  }
  try {
    postMessage({ answer: fromBytes(call(toBytes(data.request, data.files))) });
  } catch (error) {
    // What is left of this instance can't be trusted.
    postMessage({ ended: String(error) });
    close();
  }
};

// calls.js MODULE.wasm DIR: answers each NUMBER.request of a folder, as the page's worker does, in NUMBER.answer.
"use strict";

const fs = require("fs");
const path = require("path");

const [wasm, folder] = process.argv.slice(2);
const module_ = new WebAssembly.Module(fs.readFileSync(wasm));
if (WebAssembly.Module.imports(module_).length) throw new Error("the module imports something");
const { memory, fastlua_request, fastlua_call, fastlua_done } = new WebAssembly.Instance(module_, {}).exports;

for (const name of fs.readdirSync(folder).filter((file) => file.endsWith(".request"))) {
  const request = fs.readFileSync(path.join(folder, name));
  const address = fastlua_request(request.length);
  new Uint8Array(memory.buffer, address, request.length).set(request);
  const answer = fastlua_call(address, request.length);
  const length = new DataView(memory.buffer).getUint32(answer, true);
  const bytes = new Uint8Array(memory.buffer, answer + 4, length).slice();
  fastlua_done(answer, 4 + length);
  fs.writeFileSync(path.join(folder, name.replace("request", "answer")), bytes);
}
console.log(`${memory.buffer.byteLength >> 20} MiB of memory`);

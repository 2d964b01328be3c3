// Asks the library, which runs in a worker. One that ended is replaced by a new one.
"use strict";

const library = {
  module: null,
  source: null,
  worker: null,
  waiting: new Map(),
  number: 0,

  async open() {
    const [wasm, worker] = await Promise.all([load.bytes("fastlua.wasm"), load.bytes("worker.js")]);
    library.module = await WebAssembly.compile(wasm);
    // From a blob, so that the page's policy holds for it too.
    library.source = URL.createObjectURL(new Blob([worker], { type: "text/javascript" }));
    library.start();
  },

  start() {
    const worker = new Worker(library.source);
    worker.onmessage = ({ data }) => {
      const waiting = library.waiting.get(data.number);
      library.waiting.delete(data.number);
      if (data.answer) waiting?.resolve(data.answer);
      else {
        waiting?.reject(new Error(`the library stopped: ${data.ended}`));
        library.restart();
      }
    };
    worker.onerror = (event) => {
      const first = library.waiting.keys().next();
      if (!first.done) {
        library.waiting.get(first.value).reject(new Error(`the library stopped: ${event.message}`));
        library.waiting.delete(first.value);
      }
      library.restart();
    };
    worker.postMessage({ module: library.module });
    library.worker = worker;
  },

  // A new worker takes over what the old one has not come to.
  restart() {
    library.worker.terminate();
    library.start();
    for (const [number, { request, files }] of library.waiting) {
      library.worker.postMessage({ number, request, files });
    }
  },

  // The answer to a request with files, each {name, bytes}.
  ask(request, files = []) {
    const number = ++library.number;
    return new Promise((resolve, reject) => {
      library.waiting.set(number, { resolve, reject, request, files });
      library.worker.postMessage({ number, request, files });
    });
  },
};

// Asks the library, which runs in workers. Each worker has one job at a time; the other jobs wait here. A job that nobody wants
// any more is stopped, and its worker is replaced. So is a worker that fails.
"use strict";

const library = {
  module: null,
  source: null,
  // Each {worker, job}; the job is null while the worker is idle.
  workers: [],
  // Jobs that wait, the next one first.
  waiting: [],
  // Jobs that were begun, answered, and stopped before their answer.
  counts: { begun: 0, answered: 0, stopped: 0 },

  async open() {
    const [wasm, worker] = await Promise.all([load.bytes("fastlua.wasm"), load.bytes("worker.js")]);
    library.module = await WebAssembly.compile(wasm);
    // From a blob, so that the page's policy holds for it too.
    library.source = URL.createObjectURL(new Blob([worker], { type: "text/javascript" }));
    // One works on a large file while the other one answers what is typed.
    for (let n = 0; n < 2; n++) library.workers.push(library.start({}));
  },

  start(place) {
    const worker = new Worker(library.source);
    const is_current = () => place.worker === worker;
    worker.onmessage = ({ data }) => {
      if (!is_current()) return;
      const { job } = place;
      if (data.answer) {
        place.job = null;
        library.counts.answered++;
        job.resolve(data.answer);
        library.next();
      } else library.failed(place, data.ended);
    };
    worker.onerror = (event) => {
      if (is_current()) library.failed(place, event.message);
    };
    worker.postMessage({ module: library.module });
    return Object.assign(place, { worker, job: null });
  },

  // What is left of a worker that fails can't be trusted.
  failed(place, reason) {
    const { job } = place;
    place.worker.terminate();
    library.start(place);
    job?.reject(new Error(`the library stopped: ${reason}`));
    library.next();
  },

  // Ends the work of a worker; the caller decides what becomes of its job.
  stop(place) {
    place.worker.terminate();
    library.counts.stopped++;
    library.start(place);
  },

  // Gives jobs to idle workers, those of the latest rank first.
  next() {
    for (const place of library.workers) {
      if (place.job || !library.waiting.length) continue;
      const rank = Math.max(...library.waiting.map((job) => job.rank));
      const [job] = library.waiting.splice(library.waiting.findIndex((waiting) => waiting.rank === rank), 1);
      place.job = job;
      library.counts.begun++;
      place.worker.postMessage({ request: job.request, files: job.files });
    }
  },

  // A job of a new rank does not wait for the work of an older one: one worker is taken from it.
  make_room(rank) {
    if (library.workers.some(({ job }) => !job || job.rank >= rank)) return;
    const place = library.workers.reduce((a, b) => (b.job.rank < a.job.rank ? b : a));
    const { job } = place;
    library.stop(place);
    library.waiting.push(job);
  },

  // The answer to a request with files, each {name, bytes}. Requests of a higher rank come first. The signal stops the work.
  ask(request, files = [], { rank = page.generation, signal } = {}) {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const job = { request, files, rank, resolve, reject };
      signal?.addEventListener("abort", () => {
        library.waiting = library.waiting.filter((waiting) => waiting !== job);
        const place = library.workers.find((place) => place.job === job);
        if (place) library.stop(place);
        reject(signal.reason);
        library.next();
      });
      library.make_room(rank);
      library.waiting.push(job);
      library.next();
    });
  },
};

// browser.js URL FASTLUA.HTML DIR: uses the page as people do, and compares what it shows and gives with what the command line gave,
// which tests/page.rs has put into DIR. PAGE_SHOTS names a folder for pictures of it.
"use strict";

const assert = require("assert/strict");
const fs = require("fs");
const path = require("path");
const { pathToFileURL } = require("url");
const { chromium } = require("playwright-core");
const fflate = require("fflate");

const [url, single, folder] = process.argv.slice(2);
const expected = JSON.parse(fs.readFileSync(path.join(folder, "expected.json")));
const file = (name) => fs.readFileSync(path.join(folder, name));
const MODULES = ["hello.lua", "led.lua", "telnet.lua"];
const given = (names) => names.map((name) => ({ name: path.basename(name), mimeType: "", buffer: file(name) }));
const own = (name, text) => ({ name, mimeType: "", buffer: Buffer.from(text) });
const modules = () => given(MODULES.map((name) => `given/${name}`));

let browser;
let origin = url;

// A page of its own, which must not say anything in the console nor ask anybody else for anything.
async function opened(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.asked = [];
  page.said = [];
  context.on("request", (request) => page.asked.push(request.url()));
  page.on("console", (message) => page.said.push(message.text()));
  page.on("pageerror", (error) => page.said.push(error.message));
  // With someone listening, Playwright has the browser hand choosers over from the beginning.
  page.on("filechooser", () => {});
  await page.goto(origin);
  await page.waitForSelector("body[data-ready]");
  return page;
}

// The file chooser that an action opens. The browser was seen to swallow a key once, so a person's second and third try count too.
async function chooser(page, action) {
  for (let tries = 3; ; tries--) {
    const opened = page.waitForEvent("filechooser", { timeout: 20000 });
    const [result] = await Promise.allSettled([opened, action()]);
    if (result.status === "fulfilled") return result.value;
    const state = await page.evaluate(() => [document.activeElement?.outerHTML, document.hasFocus(), navigator.userActivation.isActive]);
    console.error("no file chooser opened:", state, page.said);
    if (tries === 1) throw result.reason;
  }
}

async function closed(page) {
  const strange = page.asked.filter((asked) => !asked.startsWith(origin) && !/^(blob|data):/.test(asked));
  assert.deepEqual(strange, [], "asked others");
  assert.deepEqual(page.said, [], "said something in the console");
  await page.context().close();
}

// Until the page has worked through all that it was given.
const settled = (page) => page.waitForFunction(() => !document.body.hasAttribute("data-busy"));

// As a person drops files: the browser's own events.
async function drop(page, files) {
  const transfer = await page.evaluateHandle((files) => {
    const transfer = new DataTransfer();
    for (const { name, base64 } of files) {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      transfer.items.add(new File([bytes], name));
    }
    return transfer;
  }, files.map(({ name, buffer }) => ({ name, base64: buffer.toString("base64") })));
  for (const event of ["dragenter", "dragover", "drop"]) await page.dispatchEvent("#drop", event, { dataTransfer: transfer });
  await settled(page);
}

const set = async (page, id, value) => {
  await page.selectOption(`#${id}`, value);
  await settled(page);
};

// The files that a button makes, by name; the zip of them has the same.
async function made(page, output) {
  await page.click(`#make-${output}`);
  await page.waitForSelector("#links a", { timeout: 60000 });
  const found = {};
  for (const link of await page.locator("#links a").all()) {
    const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
    found[await link.textContent()] = fs.readFileSync(await download.path());
    // Chromium starts ten downloads within a second, and drops those after them without a word.
    await page.waitForTimeout(120);
  }
  const zip = Object.keys(found).find((name) => name.endsWith(".zip"));
  if (zip) {
    const inside = fflate.unzipSync(found[zip]);
    delete found[zip];
    assert.deepEqual(Object.keys(inside).sort(), Object.keys(found).sort());
    for (const [name, bytes] of Object.entries(inside)) assert.ok(found[name].equals(bytes), `${name} in the zip`);
  }
  return found;
}

function same(found, names) {
  assert.deepEqual(Object.keys(found).sort(), Object.keys(names).sort());
  for (const [name, ours] of Object.entries(names)) assert.ok(found[name].equals(file(ours)), `${name} is not ${ours}`);
}

const costs = (page) => page.$$eval("#costs-body tr:not(.total)", (rows) => rows.map((row) => [
  row.querySelector("th").textContent,
  Object.fromEntries([...row.querySelectorAll("td")].map((cell) =>
    [cell.dataset.form, Number(cell.querySelector(".number").dataset.bytes)])),
]));

const tests = {
  async "dropped modules cost what the library says, for each variant"(page) {
    await drop(page, modules());
    const chunks = MODULES.flatMap((name) => expected.costs[name]);
    for (const variant of expected.variants) {
      await page.selectOption("#shown", variant);
      const shown = await costs(page);
      const ours = chunks.map(({ name, variants }) =>
        [name, Object.fromEntries(Object.entries(variants[variant]).map(([form, { bytes }]) => [form, bytes]))]);
      assert.deepEqual(shown, ours, variant);
    }
    // packed chunks have tables besides, once
    const sum = (await costs(page)).reduce((all, [, { packed }]) => all + packed, 0);
    const total = await page.$eval(".total [data-form=packed] .number", ({ dataset }) => Number(dataset.bytes));
    assert.ok(total > sum + 3000 && total < sum + 6000, `${total} of ${sum}`);
    // the longest bar of a row is as long as its cell lets it
    const parts = await page.$$eval("#costs-body tr", (rows) => rows.map((row) =>
      Math.max(...[...row.querySelectorAll(".bar")].map((bar) => Number(bar.style.getPropertyValue("--part"))))));
    assert.ok(parts.length > chunks.length && parts.every((part) => part === 1), String(parts));
    assert.match(await page.textContent("#summary"), /No errors/);
  },

  async "downloads are the command line's bytes"(page) {
    await drop(page, modules());
    const c = (of) => ({ "fast.c": `${of}/fast.c`, "fast_chunks.h": `${of}/fast_chunks.h` });
    same(await made(page, "c"), c("all"));
    await set(page, "variant", "lua51-int");
    const lc = (ending) => Object.fromEntries(MODULES.map((name) => [name.replace("lua", "lc"), name + ending]));
    same(await made(page, "lc"), lc(".lc"));
    await set(page, "strip", "2");
    same(await made(page, "lc"), lc(".2.lc"));
    await set(page, "strip", "");
    await set(page, "variant", "lua51-float");
    same(await made(page, "lfs"), { "lfs.img": "lfs.img" });
    await set(page, "form", "frozen");
    same(await made(page, "c"), c("frozen"));
    // all variants give an image each
    await set(page, "variant", "");
    const images = await made(page, "lfs");
    assert.equal(Object.keys(images).length, expected.variants.length);
    assert.ok(images["lfs-lua51-float.img"].equals(file("lfs.img")));
  },

  async "a dropped firmware says its variant and is patched"(page) {
    assert.ok(await page.isDisabled("#make-patch"));
    await drop(page, [...modules(), ...given(["nodemcu.bin"])]);
    assert.match(await page.textContent("#image-text"), /variant lua53-int64-float64; a slot of 65.536 bytes, empty now/);
    assert.equal(await page.inputValue("#variant"), "lua53-int64-float64");
    await set(page, "form", "deflated");
    same(await made(page, "patch"), { "nodemcu-patched.bin": "patched.bin" });
    // of two slots the one that is chosen
    await drop(page, given(["two.bin"]));
    await set(page, "form", "");
    assert.equal(await page.inputValue("#variant"), "lua51-float");
    await set(page, "slot", "2");
    assert.equal(await page.inputValue("#variant"), "lua51-int");
    assert.match(await page.textContent("#costs-caption"), /lua51-int/);
    same(await made(page, "patch"), { "two-patched.bin": "second.bin" });
    await page.click("#no-image");
    assert.ok(await page.isHidden("#slot"));
    await page.setInputFiles("#image", [own("other.bin", "no firmware at all")]);
    await settled(page);
    assert.match(await page.textContent("#image-text"), /without a slot/);
    assert.match(await page.textContent("#messages"), /other.bin: no slot/);
    assert.ok(await page.isDisabled("#make-patch"));
  },

  async "an error stands at its line, and goes with it"(page) {
    await page.setInputFiles("#files", [own("bad.lua", "local a = 1\n\nx = = 2\n"), ...modules()]);
    await settled(page);
    assert.equal(await page.textContent("#messages .text"), "bad.lua:3: unexpected symbol near '='");
    assert.match(await page.textContent("#summary"), /^1 error/);
    assert.equal((await page.textContent(".ace_gutter-cell.ace_error")).replace(/\D/g, ""), "3");
    await page.click("#list >> text=hello.lua");
    assert.equal(await page.locator(".ace_gutter-cell.ace_error").count(), 0);
    await page.click("#messages button");
    assert.match(await page.textContent("#editor-title"), /bad.lua/);
    assert.equal(await page.evaluate(() => editor.ace.getCursorPosition().row), 2);
    // nothing is made of it
    await page.click("#make-c");
    await page.waitForFunction(() => byId("made").textContent.startsWith("Nothing was made: bad.lua:3"));
    // the others have their costs
    assert.equal((await costs(page)).filter(([, forms]) => forms.bytecode > 0).length, 7);
    // typing mends it
    await page.click("#messages button");
    await page.keyboard.press("Control+A");
    await page.keyboard.type("return 1");
    await settled(page);
    assert.match(await page.textContent("#summary"), /No errors/);
    assert.equal((await costs(page)).find(([name]) => name === "bad")[1].plain, 8);
  },

  async "deep nesting is an error, not an end"(page) {
    const deep = (n, open, close) => `return ${open.repeat(n)}1${close.repeat(n)}`;
    for (const [open, close] of [["(", ")"], ["{", "}"], ["function() return ", " end "]]) {
      await page.setInputFiles("#files", [own("deep.lua", deep(5000, open, close)), own("near.lua", deep(90, open, close))]);
      await settled(page);
      assert.match(await page.textContent("#messages"), /deep.lua:1: .*levels/);
      assert.doesNotMatch(await page.textContent("#messages"), /stopped/);
      assert.ok((await costs(page)).find(([name]) => name === "near")[1].plain > 180);
    }
  },

  async "the worker nests as deep as the library does"(page) {
    assert.ok(expected.nested.length > 40);
    for (const { name, text, messages } of expected.nested) {
      const answer = await page.evaluate(([name, text]) =>
        library.ask({ do: "costs", file: name }, [{ name, bytes: new TextEncoder().encode(text) }]), [name, text]);
      assert.deepEqual(answer.messages, messages, name);
    }
  },

  async "a library that stops is replaced"(page) {
    const stopped = await page.evaluate(async () => {
      const first = library.workers.map(({ worker }) => worker);
      const said = await library.ask({ do: "about" }, [{ name: "x", bytes: { length: 2 ** 40 } }]).catch((error) => error.message);
      return { said, is_new: library.workers.filter(({ worker }, i) => worker !== first[i]).length === 1 };
    });
    assert.match(stopped.said, /the library stopped/);
    assert.ok(stopped.is_new);
    await drop(page, modules());
    assert.equal((await costs(page)).length, 7);
  },

  async "outdated work is stopped"(page) {
    const seen = await page.evaluate(async () => {
      const line = "print('a line of a large module', 1)\n";
      const before = { ...library.counts };
      const versions = [];
      for (let n = 0; n < 4; n++) {
        const bytes = new TextEncoder().encode(line.repeat(12_000) + `return ${n}`);
        files.put("large.lua", bytes);
        files.show("large.lua");
        page.changed();
        const is_old = ({ job }) => job?.files.some(({ bytes }) => versions.includes(bytes));
        if (library.workers.some(is_old)) return "old work goes on";
        versions.push(bytes);
        const is_new = ({ job }) => job?.request.do === "costs" && job.files[0].bytes === bytes;
        while (!library.workers.some(is_new)) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      while (document.body.hasAttribute("data-busy")) await new Promise((resolve) => setTimeout(resolve, 1));
      const [begun, answered, stopped] = ["begun", "answered", "stopped"].map((key) => library.counts[key] - before[key]);
      const kept = [...answers.all.values()].filter(({ file, answer }) => file === "large.lua" && answer).length;
      return { lost: begun - answered - stopped, stops: stopped >= 3, kept, waiting: library.waiting.length };
    });
    assert.deepEqual(seen, { lost: 0, stops: true, kept: 2, waiting: 0 });
    assert.match(await page.textContent("#summary"), /No errors/);
    // an answer to the same text and settings is not worked out again
    const begun = () => page.evaluate(() => library.counts.begun);
    await set(page, "variant", "lua51-int");
    const before = await begun();
    await set(page, "variant", "");
    await set(page, "variant", "lua51-int");
    assert.equal(await begun(), before);
  },

  async "what is typed is answered before a large file"(page) {
    const order = await page.evaluate(async () => {
      const line = "local t = { 'a', 'line', 'of', 'a', 'large', 'module', x = { 1, 2, 3 } } print(t)\n";
      files.put("large.lua", new TextEncoder().encode(`do ${line} end `.repeat(11_000)));
      files.put("small.lua", new TextEncoder().encode("return 1"));
      files.show("large.lua");
      page.changed();
      const works = () => library.workers.every(({ job }) => job?.request.file === "large.lua");
      while (!works()) await new Promise((resolve) => setTimeout(resolve, 1));
      files.show("small.lua");
      editor.ace.setValue("return = 2");
      while (!answers.known("small.lua")) await new Promise((resolve) => setTimeout(resolve, 1));
      return answers.known("large.lua") ? "after" : "before";
    });
    assert.equal(order, "before");
    await settled(page);
    assert.match(await page.textContent("#messages"), /small.lua:1: unexpected symbol/);
    assert.deepEqual((await costs(page)).map(([name]) => name), ["large", "small"]);
  },

  async "files that are too large are refused at once, and named"(page) {
    const text = (bytes) => "-".repeat(99).concat("\n").repeat(Math.ceil(bytes / 100)).slice(0, bytes);
    const most = 2 << 20;
    await drop(page, [own("large.lua", text(most + 1)), own("fits.lua", text(1 << 20)), ...modules()]);
    const notice = () => page.textContent("#notice");
    assert.match((await notice()).replace(/\u202f/g, ""), /^large.lua: it has 2097153 bytes, and a Lua file on this page may have 2097152; use the command/);
    assert.doesNotMatch(await page.textContent("#list"), /large/);
    assert.equal((await costs(page)).length, 8);
    // together too
    const many = Array.from({ length: 7 }, (_, i) => own(`many${i}.lua`, text(1 << 20)));
    await page.setInputFiles("#files", many);
    await page.waitForFunction(() => !byId("notice").hidden);
    assert.match((await notice()).replace(/\u202f/g, ""), /^many6.lua: with it the Lua files have \d+ bytes, and together they may have 8388608/);
    // a file that becomes too large is an error, and nothing is made without it
    for (let i = 0; i < 6; i++) await page.evaluate((i) => files.remove(`many${i}.lua`), i);
    await page.evaluate((most) => {
      files.show("fits.lua");
      editor.ace.setValue(`${"-".repeat(99)}\n`.repeat(most / 99));
    }, most);
    await settled(page);
    assert.match(await page.textContent("#messages .text"), /^fits.lua: it has .* bytes, and a Lua file on this page may have/);
    assert.equal((await costs(page)).length, 7);
    await page.click("#make-c");
    await page.waitForFunction(() => byId("made").textContent.startsWith("Nothing was made: fits.lua: it has"));
    // a line that the editor would take long to lay out
    await drop(page, [own("line.lua", `return '${"x".repeat(20_000)}'`)]);
    await page.click("#list >> text=line.lua");
    assert.match(await page.textContent("#editor-title"), /line.lua \(can't be edited here: a line is longer than 10.000 characters\)/);
    assert.ok((await costs(page)).find(([name]) => name === "line")[1].plain > 20_000);
  },

  async "bytes that are no UTF-8, marks, line ends and bytecode stay as they are"(page) {
    const odd = ["latin1.lua", "crlf.lua", "empty.lua"];
    await drop(page, given(odd.map((name) => `odd/${name}`)));
    for (const name of odd) {
      await page.click(`#list >> text=${name}`);
      assert.equal(/can't be edited/.test(await page.textContent("#editor-title")), name === "latin1.lua", name);
    }
    await set(page, "variant", "lua51-float");
    same(await made(page, "lc"), Object.fromEntries(odd.map((name) => [name.replace("lua", "lc"), `${name}.lc`])));
    for (const name of odd.slice(1)) await page.click(`[aria-label="Remove ${name}"]`);
    await drop(page, given(["odd/dump.lc"]));
    await page.click("#list >> text=dump.lc");
    assert.match(await page.textContent("#editor-title"), /can't be edited/);
    // it is for one variant, and can't be source
    assert.match(await page.textContent("#messages"), /dump.lc: build for lua51-int, .*: it is bytecode for NodeMCU 5.1, 32-bit integers, not for this variant/);
    await set(page, "variant", "lua51-int");
    const [[, forms]] = await costs(page);
    assert.ok(forms.bytecode > 0 && Number.isNaN(forms.source));
    same(await made(page, "c"), { "fast.c": "dump/fast.c", "fast_chunks.h": "dump/fast_chunks.h" });
  },

  async "a zip or a folder with a fast.toml is a project"(page) {
    const is_project = async () => {
      const shown = await costs(page);
      assert.deepEqual(shown.map(([name]) => name), ["one", "a.html"]);
      assert.equal(shown[1][1].data, 3);
      assert.match(await page.textContent("#costs-caption"), /lua51-int/);
      assert.match(await page.textContent("#summary"), /No errors/);
    };
    const names = ["fast.toml", "lua/one.lua", "other.lua", "www/a.html"];
    const zip = fflate.zipSync(Object.fromEntries(names.map((name) => [`project/${name}`, file(`project/${name}`)])));
    await drop(page, [{ name: "project.zip", buffer: Buffer.from(zip) }]);
    await is_project();
    for (const name of names) await page.click(`[aria-label="Remove ${name}"]`);
    await settled(page);
    assert.deepEqual(await costs(page), []);
    // a folder as the system gives it to the browser
    const session = await page.context().newCDPSession(page);
    const { x, y } = await page.locator("#drop").boundingBox();
    const data = { items: [], files: [path.join(folder, "project")], dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"]) {
      await session.send("Input.dispatchDragEvent", { type, x: x + 9, y: y + 9, data });
    }
    await settled(page);
    await is_project();
    const broken = { name: "broken.zip", buffer: Buffer.from("PK but no zip") };
    await drop(page, [broken, own("picture.png", "x")]);
    assert.match(await page.textContent("#notice"), /broken.zip: .*picture.png: it is not Lua/);
  },

  async "the keyboard is enough"(page) {
    const reach = async (selector) => {
      for (let n = 0; n < 60; n++) {
        if (await page.evaluate((s) => document.activeElement?.matches(s), selector)) return;
        await page.keyboard.press("Tab");
      }
      assert.fail(`${selector} can't be reached`);
    };
    await reach("#files");
    await (await chooser(page, () => page.keyboard.press("Space"))).setFiles(modules());
    await settled(page);
    await reach("#new");
    await page.keyboard.press("Enter");
    await page.keyboard.type("return 12");
    await settled(page);
    assert.match(await page.textContent("#editor-title"), /module.lua/);
    // what the editor has beside text is there too, with nothing to fetch
    for (const key of ["Control+F", "Escape", "F1", "Control+L", "Control+,", "Alt+E", "Escape"]) await page.keyboard.press(key);
    await page.keyboard.press("Escape");
    await reach("#variant");
    await page.keyboard.press("ArrowDown");
    await settled(page);
    assert.equal(await page.inputValue("#variant"), "lua51-float");
    await reach("#make-c");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#links a:focus");
    const [download] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
    assert.equal(download.suggestedFilename(), "fast.c");
    // and away with a module
    await reach("#list .remove[aria-label='Remove module.lua']");
    await page.keyboard.press("Enter");
    await settled(page);
    assert.equal((await costs(page)).length, 7);
  },

  async "axe finds nothing, and nothing is wider than the page"() {
    const axe = fs.readFileSync(require.resolve("axe-core"), "utf8");
    for (const colorScheme of ["light", "dark"]) {
      for (const width of [360, 800, 1280]) {
        const page = await opened({ colorScheme, viewport: { width, height: 900 } });
        await drop(page, [own("bad.lua", "-- a comment\nlocal s = 'text' .. 1\nx = = 2\n"), ...modules(), ...given(["nodemcu.bin"])]);
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width, "wider than the page");
        await page.evaluate(axe);
        const { violations, passes } = await page.evaluate(() => axe.run());
        assert.ok(passes.length > 20, `${passes.length} rules`);
        const found = violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map((n) => n.target).join(" ")}`);
        assert.deepEqual(found, [], `${colorScheme}, ${width}`);
        await page.click("#list >> text=hello.lua");
        await page.locator("#list .remove").first().click();
        await settled(page);
        await page.click("#make-lfs");
        await page.waitForSelector("#links a");
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width, "wider than the page");
        const shots = process.env.PAGE_SHOTS;
        if (shots) await page.screenshot({ path: path.join(shots, `${colorScheme}-${width}.png`), fullPage: true });
        await closed(page);
      }
    }
  },

  async "the page as one file works from the disk"() {
    const before = origin;
    origin = pathToFileURL(single).href;
    try {
      const page = await opened();
      await drop(page, modules());
      assert.equal((await costs(page)).length, 7);
      same(await made(page, "c"), { "fast.c": "all/fast.c", "fast_chunks.h": "all/fast_chunks.h" });
      await closed(page);
    } finally {
      origin = before;
    }
  },
};

async function main() {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium-headless-shell";
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  const only = process.env.PAGE_ONLY;
  try {
    for (const [name, test] of Object.entries(tests)) {
      if (only && !name.includes(only)) continue;
      const started = Date.now();
      if (test.length) {
        const page = await opened();
        await test(page);
        await closed(page);
      } else await test();
      console.log(`${name}: ${Date.now() - started} ms`);
    }
  } finally {
    await browser.close();
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});

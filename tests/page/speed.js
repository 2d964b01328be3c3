// speed.js FASTLUA.HTML...: how fast each page answers, in milliseconds: a Lua file of 1 MB of several kinds, and what is typed
// while the page works on it. Figures of one run are to be compared with each other only; scripts/bench runs it.
"use strict";

const path = require("path");
const { pathToFileURL } = require("url");
const { chromium } = require("playwright-core");

const SIZE = 1_000_000;

// A text of a size from parts that begin with `open`, end with `close` and have numbered items between them.
function text(open, item, close) {
  const parts = [open];
  for (let size = 0, i = 0; size < SIZE; i++) {
    parts.push(item(i));
    size += parts[i + 1].length;
  }
  return [...parts, close].join("");
}

const KINDS = {
  functions: text("local M = {}\n", (i) => `-- does step ${i}
function M.step${i}(pin, level, count)
  local total = 0
  for k = 1, count do
    local value = gpio.read(pin) + k * ${i % 97}
    if value > level then total = total + value else print("step ${i}: too low", value) end
  end
  return total, M.last${i % 50}
end
`, "return M\n"),
  table: text("return {\n", (i) => `  { id = ${i}, name = "entry ${i}", on = true, ${(i * 7919) % 1000} },\n`, "}\n"),
  calls: text("", (i) => `set(${i % 256}, ${(i * 7919) % 100}, 'value')\n`, ""),
};

// Milliseconds from `act`, called in the page, until `is_done` is true there.
async function until(page, act, is_done) {
  const began = Date.now();
  await page.evaluate(act);
  await page.waitForFunction(is_done, null, { polling: 10, timeout: 120_000 });
  return Date.now() - began;
}

async function measure(page, kind) {
  await page.evaluate((text) => (window.large = new TextEncoder().encode(text)), KINDS[kind]);
  const settled = () => !document.body.hasAttribute("data-busy");
  const answered = await until(page, () => {
    files.put("large.lua", large);
    files.show("large.lua");
    page.changed();
  }, settled);
  // An error that is typed into a small file, once the page works on the large one again.
  await page.evaluate(() => {
    files.put("small.lua", new TextEncoder().encode("return 1"));
    files.put("large.lua", new TextEncoder().encode("-- changed\n" + new TextDecoder().decode(large)));
    page.changed();
  });
  await page.waitForTimeout(400);
  const typed = await until(page, () => {
    files.show("small.lua");
    editor.ace.setValue("return = 2");
  }, () => /small.lua:1: /.test(document.getElementById("messages").textContent));
  await page.waitForFunction(settled);
  // Keys in the large file, until the browser has drawn them.
  const drawn = await page.evaluate(async () => {
    files.show("large.lua");
    let longest = 0;
    for (let key = 0; key < 10; key++) {
      const began = performance.now();
      editor.ace.insert(" ");
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      longest = Math.max(longest, performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return Math.round(longest);
  });
  console.log(`  ${kind}: answered after ${answered}, an error typed into a small file meanwhile after ${typed}, a key drawn after ${drawn} at most`);
}

async function main() {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium-headless-shell";
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    for (const name of process.argv.slice(2)) {
      console.log(`${name}, milliseconds:`);
      for (const kind of Object.keys(KINDS)) {
        const page = await browser.newPage();
        await page.goto(pathToFileURL(path.resolve(name)).href);
        await page.waitForSelector("body[data-ready]");
        await measure(page, kind);
        await page.close();
      }
    }
  } finally {
    await browser.close();
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});

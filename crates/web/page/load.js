// Loads the page's other files: from its folder or, if the page is one file, from inside it.
"use strict";

const load = {
  async bytes(name) {
    const inside = document.getElementById(`file:${name}`);
    if (inside) return Uint8Array.from(atob(inside.textContent), (c) => c.charCodeAt(0));
    const answer = await fetch(`${name}?${document.documentElement.dataset.files ?? ""}`);
    if (!answer.ok) throw new Error(`can't load ${name}: ${answer.status} ${answer.statusText}`);
    return new Uint8Array(await answer.arrayBuffer());
  },
};

// An element with attributes and children.
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

const byId = (id) => document.getElementById(id);

// 1234567 as 1 234 567, with spaces that do not break.
const grouped = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, "\u202f");

const counted = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

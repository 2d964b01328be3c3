#!/bin/sh
# Readers of Intel HEX, PyPI bincopy 20.1.1, intelhex 2.3.0, hexrec 0.5.1 and hexformat 0.4.0, npm intel-hex 0.2.0 and nrf-intel-hex 1.4.0,
# on valid files.
# - segment: Intel's specification (revision A, 1988) lets the address wrap after 64K within a segment (record 02), so that of 4 bytes at
#   1000:FFFE two are at 0x10000. Only hexformat does; nrf-intel-hex refuses, as it says, and the others go on at 0x20000.
# - change: a record 02, and later a record 04. bincopy adds the two bases: the second byte is at 0x30000. For the others, it is at 0x20000.
# - start: bincopy reads the start CS:IP 1234:5678 (record 03), which is 0x179b8, and writes EIP 0x12345678 (record 05).
# - high: nrf-intel-hex refuses data from 0x80000000 on: the address is "negative".
# - npm intel-hex with bufferSize, which is said to discard what exceeds it, stops as soon as the end is reached and loses the records
#   after; what comes back can be longer than bufferSize. With addressOffset it is said to discard the data before, and raises an error.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv python
python/bin/pip install --quiet bincopy==20.1.1 intelhex==2.3.0 hexrec==0.5.1 hexformat==0.4.0
npm install --silent --no-audit --no-fund intel-hex@0.2.0 nrf-intel-hex@1.4.0 >/dev/null
cat >make.py <<'EOF'
def write(name, *records):
    with open(name, "w") as file:
        for address, kind, data in (*records, (0, 1, b"")):
            line = bytes([len(data)]) + address.to_bytes(2, "big") + bytes([kind]) + data
            file.write(":" + (line + bytes([-sum(line) & 255])).hex().upper() + "\n")


write("segment", (0, 2, b"\x10\x00"), (0xFFFE, 0, b"\1\2\3\4"))
write("change", (0, 2, b"\x10\x00"), (0, 0, b"\1"), (0, 4, b"\x00\x02"), (0, 0, b"\2"))
write("start", (0, 0, b"\1"), (0, 3, b"\x12\x34\x56\x78"))
write("high", (0, 4, b"\x80\x00"), (0, 0, b"\1"))
write("late", (16, 0, b"\1" * 16), (0, 0, b"\2" * 16))
write("long", (0, 0, b"\1" * 16), (16, 0, b"\2" * 16))
EOF
cat >run.py <<'EOF'
import bincopy
import hexrec
from hexformat.intelhex import IntelHex as HexFormat
from intelhex import IntelHex


def of_bincopy(name):
    file = bincopy.BinFile(name)
    return {at + i: byte for at, data in file.segments for i, byte in enumerate(data)}


def of_hexformat(name):
    file = HexFormat.fromihexfile(name)
    return {part[0] + i: byte for part in file.parts() for i, byte in enumerate(file.get(part[0], part[1]))}


readers = {
    "bincopy": of_bincopy,
    "intelhex": lambda name: IntelHex(name).todict(),
    "hexrec": lambda name: {at + i: byte for at, data in hexrec.IhexFile.load(name).memory.to_blocks() for i, byte in enumerate(data)},
    "hexformat": of_hexformat,
}
for name in "segment", "change":
    for reader, read in readers.items():
        found = sorted((at, byte) for at, byte in read(name).items() if isinstance(at, int))
        print(f"{name}: {reader}: " + " ".join(f"{at:x}={byte}" for at, byte in found))
print("start: bincopy: " + bincopy.BinFile("start").as_ihex().splitlines()[1])
EOF
cat >run.js <<'EOF'
const { readFileSync } = require("fs");
const { parse } = require("intel-hex");
const MemoryMap = require("nrf-intel-hex");
function show(what, read) {
  try {
    console.log(`${what}: ${read()}`);
  } catch (error) {
    console.log(`${what}: error: ${error.message.split(". ")[0]}`);
  }
}
const text = (name) => readFileSync(name, "utf8");
for (const name of ["segment", "change"]) show(`${name}: intel-hex`, () => [...parse(text(name)).data.entries()].filter(([, byte]) => byte != 255).map(([at, byte]) => `${at.toString(16)}=${byte}`).join(" "));
for (const name of ["segment", "change", "high"]) show(`${name}: nrf-intel-hex`, () => [...MemoryMap.fromHex(text(name))].map(([at, data]) => `${at.toString(16)}=${data}`).join(" "));
show("late, bufferSize 32: intel-hex", () => parse(text("late"), 32).data.toString("hex"));
show("long, bufferSize 24: intel-hex", () => `${parse(text("long"), 24).data.length} bytes`);
show("long, addressOffset 16: intel-hex", () => parse(text("long"), undefined, 16).data.toString("hex"));
EOF
{
  python/bin/python make.py
  python/bin/python run.py
  node run.js
} >found
cat >expected <<'EOF'
segment: bincopy: 1fffe=1 1ffff=2 20000=3 20001=4
segment: intelhex: 1fffe=1 1ffff=2 20000=3 20001=4
segment: hexrec: 1fffe=1 1ffff=2 20000=3 20001=4
segment: hexformat: 10000=3 10001=4 1fffe=1 1ffff=2
change: bincopy: 10000=1 30000=2
change: intelhex: 10000=1 20000=2
change: hexrec: 10000=1 20000=2
change: hexformat: 10000=1 20000=2
start: bincopy: :0400000512345678E3
segment: intel-hex: 1fffe=1 1ffff=2 20000=3 20001=4
change: intel-hex: 10000=1 20000=2
segment: nrf-intel-hex: error: Data at record 2 (:04FFFE0001020304F5) wraps over 0xFFFF
change: nrf-intel-hex: 10000=1 20000=2
high: nrf-intel-hex: error: Address passed to MemoryMap is negative
late, bufferSize 32: intel-hex: ffffffffffffffffffffffffffffffff01010101010101010101010101010101
long, bufferSize 24: intel-hex: 32 bytes
long, addressOffset 16: intel-hex: error: The value of "targetStart" is out of range
EOF
diff expected found
cat found

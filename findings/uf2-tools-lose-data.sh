#!/bin/sh
# PyPI adafruit-uf2 1.0.0 and uf2utils 0.9.8 write UF2 files, and npm uf2 2.0.0 reads them here. Their input is valid, and data is lost.
# - adafruit-uf2 makes a block of 256 bytes whenever the page changes, and fills what it has not seen with 0xFF. An Intel HEX file whose
#   records leave a page and come back, which is valid, gives two blocks for one address: the second has 0xFF over the data of the first.
# - uf2utils with fill_gaps writes no block at all when there is one. The filling of a gap that is no multiple of the block before it goes
#   on into the next block.
# - uf2utils reads a file and writes it without the extension tags of its blocks, yet keeps the flag that announces them.
# - uf2utils gives a block that is flagged "not main flash", a comment, as part of the data. UF2's specification says to skip it.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv python
python/bin/pip install --quiet adafruit-uf2==1.0.0 uf2utils==0.9.8
npm install --silent --no-audit --no-fund uf2@2.0.0 >/dev/null
cat >run.py <<'EOF'
import struct

from adafruit_uf2 import uf2conv
from uf2utils.file import UF2File


def record(address, kind, data):
    line = bytes([len(data)]) + address.to_bytes(2, "big") + bytes([kind]) + data
    return ":" + (line + bytes([-sum(line) & 255])).hex().upper() + "\n"


def block(flags, data, rest=b""):
    head = struct.pack("<8I", 0x0A324655, 0x9E5D5157, flags, 0x2000, len(data), 0, 1, 0x1C5F21B0)
    return head + (data + rest).ljust(476, b"\0") + struct.pack("<I", 0x0AB16F30)


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)


text = record(0, 0, b"A" * 4) + record(0x200, 0, b"B" * 4) + record(4, 0, b"C" * 4) + record(0, 1, b"")
write("1-hex.uf2", uf2conv.convert_from_hex_to_uf2(text))
one = UF2File(fill_gaps=True)
one.append_payload(b"D" * 256, 0x1000)
one.to_file("2-one.uf2")
gap = UF2File(fill_gaps=True)
gap.append_payload(b"E" * 256, 0x1000)
gap.append_payload(b"F" * 256, 0x1180)
gap.to_file("3-gap.uf2")
version = struct.pack("<I4s4x", 0x9FC7BC << 8 | 7, b"1.0")
write("4-tag.uf2", block(0xA000, b"G" * 256, version))
UF2File("4-tag.uf2").to_file("5-copy.uf2")
write("6-comment.uf2", block(0x2001, b"H" * 256))
print(f"6-comment.uf2: {len(UF2File('6-comment.uf2').payload)} bytes of data")
EOF
cat >run.js <<'EOF'
const { decodeBlock } = require("uf2");
const { readFileSync } = require("fs");
for (const name of process.argv.slice(2)) {
  const file = new Uint8Array(readFileSync(name));
  console.log(`${name}: ${file.length} bytes`);
  for (let at = 0; at < file.length; at += 512) {
    const block = file.slice(at, at + 512);
    const { flags, flashAddress, payload } = decodeBlock(block);
    const rest = block.slice(32 + payload.length, 508).some((byte) => byte);
    const begin = Buffer.from(payload.slice(0, 8)).toString("hex");
    console.log(`  0x${flashAddress.toString(16)}: ${payload.length} bytes ${begin}..., flags 0x${flags.toString(16)}, ${rest ? "tags" : "no tags"}`);
  }
}
EOF
{
  python/bin/python run.py
  node run.js 1-hex.uf2 2-one.uf2 3-gap.uf2 4-tag.uf2 5-copy.uf2
} >found
cat >expected <<'EOF'
6-comment.uf2: 256 bytes of data
1-hex.uf2: 1536 bytes
  0x0: 256 bytes 41414141ffffffff..., flags 0x0, no tags
  0x200: 256 bytes 42424242ffffffff..., flags 0x0, no tags
  0x0: 256 bytes ffffffff43434343..., flags 0x0, no tags
2-one.uf2: 0 bytes
3-gap.uf2: 1536 bytes
  0x1000: 256 bytes 4545454545454545..., flags 0x2000, no tags
  0x1100: 256 bytes 0000000000000000..., flags 0x2000, no tags
  0x1180: 256 bytes 4646464646464646..., flags 0x2000, no tags
4-tag.uf2: 512 bytes
  0x2000: 256 bytes 4747474747474747..., flags 0xa000, tags
5-copy.uf2: 512 bytes
  0x2000: 256 bytes 4747474747474747..., flags 0xa000, no tags
EOF
diff expected found
cat found

"""judge.py CHIP FILE...: what esptool says of each image, a line each: the checksum, the hash, and the CRC32 of an ESP8266's
version 2 (image-info says nothing of it, but esptool has the sum). A `-` stands for none."""

import contextlib
import io
import re
import sys

from esptool.bin_image import esp8266_crc32
from esptool.cmds import image_info


def verdict(pattern, text):
    found = re.search(pattern, text)
    return found[1] if found else "-"


def crc(data):
    if data[0] != 0xEA:
        return "-"
    right = esp8266_crc32(data[:-4]) == int.from_bytes(data[-4:], "little")
    return "valid" if right else "invalid"


chip, *files = sys.argv[1:]
for file in files:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        image_info(file, chip)
    with open(file, "rb") as image:
        data = image.read()
    text = said.getvalue()
    checksum = verdict(r"Checksum: 0x\w+ \((valid|invalid)", text)
    assert checksum != "-", text
    print(checksum, verdict(r"Validation hash:\s+\w+\s+\((valid|invalid)", text), crc(data))

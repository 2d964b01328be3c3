"""judge.py: what esptool says of each image of the file `list`, whose lines have a chip and a file: a line each, the checksum,
the hash, and the CRC32 of an ESP8266's version 2; a `-` stands for none, and an error for what can't be read."""

import contextlib
import io
import re

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


with open("list") as lines:
    asked = [line.split() for line in lines]
for chip, file in asked:
    with open(file, "rb") as image:
        data = image.read()
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            image_info(data, chip)
    except Exception as error:
        print("error:", type(error).__name__)
        continue
    text = said.getvalue()
    checksum = verdict(r"Checksum: 0x\w+ \((valid|invalid)", text)
    print(checksum, verdict(r"Validation hash:\s+\w+\s+\((valid|invalid)", text), crc(data))

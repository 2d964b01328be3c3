#!/bin/sh
# PyPI esp-idf-defs 0.1.7 reads the images and the OTA data of ESP-IDF. The images are from esptool 5.6.0.
# - It reads max_chip_rev_full at byte 11 of the header and not at 17, where esp_image_header_t has it and esptool writes it. Bytes 11 and
#   12 are the last drive setting and the low half of the chip's number: an ESP32-S3, chip 9, has 2304.
# - An image for the ESP32-C61, which esptool makes, is refused: the number is not known.
# - Of two OTA entries it picks the one with the higher sequence number, even when its state is ABORTED or INVALID. ESP-IDF's documentation
#   says that such an app will not be selected, and the bootloader starts the other one.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv python
python/bin/pip install --quiet esp-idf-defs==0.1.7 esptool==5.6.0
cat >run.py <<'EOF'
import struct

from esp_idf_defs.image_metadata import ImageMetadata
from esp_idf_defs.otadata import OtaDataSelectEntry, OtaImageState
from esptool import bin_image

for chip, address in [("ESP32S3", 0x40380000), ("ESP32C61", 0x40810000)]:
    image = getattr(bin_image, f"{chip}FirmwareImage")()
    image.entrypoint = address
    image.max_rev_full = 99
    image.segments = [bin_image.ELFSection(b".text", address, bytes(64), 6)]
    image.save("image.bin")
    with open("image.bin", "rb") as file:
        data = file.read()
    print(f"{chip}: chip {struct.unpack_from('<H', data, 12)[0]}, max_chip_rev_full {struct.unpack_from('<H', data, 17)[0]}")
    try:
        header = ImageMetadata.from_bytes(data).header
        print(f"  esp-idf-defs: chip {header.chip_id.value}, max_chip_rev_full {header.max_chip_rev_full}")
    except ValueError as error:
        print(f"  esp-idf-defs: {error}")
for state in OtaImageState.ABORTED, OtaImageState.INVALID:
    entry, _ = OtaDataSelectEntry.select(OtaDataSelectEntry(1, OtaImageState.VALID), OtaDataSelectEntry(2, state))
    print(f"1 is VALID, 2 is {state.name}: {entry.seq} is selected")
EOF
python/bin/python run.py >found 2>said
cat >expected <<'EOF'
ESP32S3: chip 9, max_chip_rev_full 99
  esp-idf-defs: chip 9, max_chip_rev_full 2304
ESP32C61: chip 20, max_chip_rev_full 99
  esp-idf-defs: 20 is not a valid ChipId
1 is VALID, 2 is ABORTED: 2 is selected
1 is VALID, 2 is INVALID: 2 is selected
EOF
diff expected found
cat found

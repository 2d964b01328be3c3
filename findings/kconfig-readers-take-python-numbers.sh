#!/bin/sh
# PyPI kconfiglib 14.1.0 and esp-idf-kconfig 3.14.0 (ESP-IDF's) read the .config or sdkconfig of a firmware. Both look at less of a value than
# Kconfig's own tools write:
# - Of a bool only the first letter counts: "yes" and "y # why" are y.
# - An int is whatever Python's int() takes, and goes into the header as it is written: 1_000, +7, 010 (8 for a C compiler).
# - A hex needs no 0x, and goes on without it where it is asked as text: 20000 is 0x20000.
# - A line with a blank in front is none, without a word.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv python
python/bin/pip install --quiet kconfiglib==14.1.0 esp-idf-kconfig==3.14.0
cat >Kconfig <<'EOF'
mainmenu "Firmware"
config A
    bool "A"
config H
    hex "H"
    default 0x10
config I
    int "I"
    default 5
EOF
cat >run.py <<'EOF'
import esp_kconfiglib
import kconfiglib

lines = ["CONFIG_A=yes", "CONFIG_A=y # why", " CONFIG_A=y", "CONFIG_I=1_000", "CONFIG_I=+7", "CONFIG_I=010", "CONFIG_I=0x10", "CONFIG_H=20000"]
for library in kconfiglib, esp_kconfiglib:
    for line in lines:
        with open(".config", "w") as file:
            file.write(line + "\n")
        config = library.Kconfig("Kconfig")
        config.load_config(".config")
        name = line.strip()[7]
        print(f"{library.__name__}: {line!r} is {config.syms[name].str_value}")
EOF
python/bin/python run.py >found 2>said
for library in kconfiglib esp_kconfiglib; do
  cat <<EOF
$library: 'CONFIG_A=yes' is y
$library: 'CONFIG_A=y # why' is y
$library: ' CONFIG_A=y' is n
$library: 'CONFIG_I=1_000' is 1_000
$library: 'CONFIG_I=+7' is +7
$library: 'CONFIG_I=010' is 010
$library: 'CONFIG_I=0x10' is 5
$library: 'CONFIG_H=20000' is 20000
EOF
done >expected
diff expected found
cat found

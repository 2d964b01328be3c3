# A part of a Makefile, for people who build NodeMCU's firmware for the ESP8266 with modules of their own:
#
#   FIRMWARE = nodemcu-firmware
#   include nodemcu.mk
#
# `make firmware` compiles the modules of fast.toml into the tree, enables the module `fast`, and has the firmware's
# own make go on. `make fast` does only the first two.

FASTLUA ?= fastlua
FIRMWARE ?= nodemcu-firmware
FAST_MANIFEST ?= fast.toml
FAST_OPTIONS ?=
FAST_STAMP ?= fast.stamp
FAST_HEADER = $(FIRMWARE)/app/include/user_modules.h

.PHONY: firmware fast
firmware: fast
	$(MAKE) -C $(FIRMWARE)

fast: $(FAST_STAMP)
	@grep -q '^#define LUA_USE_MODULES_FAST' $(FAST_HEADER) || \
	  echo '#define LUA_USE_MODULES_FAST' >> $(FAST_HEADER)

$(FAST_STAMP): $(FAST_MANIFEST)
	$(FASTLUA) build $< -o $(FIRMWARE)/app/modules --firmware $(FIRMWARE) -M $@.d --stamp $@ $(FAST_OPTIONS)

-include $(FAST_STAMP).d

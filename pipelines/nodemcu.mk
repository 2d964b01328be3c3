# A part of a Makefile, for people who build NodeMCU's firmware for the ESP8266 with modules of their own:
#
#   FIRMWARE = nodemcu-firmware
#   include nodemcu.mk
#
# `make firmware` compiles the modules of fast.toml into the tree, enables the module `fast`, and runs the firmware's
# own make. `make fast` does only the first two.
#
# fastlua runs each time, since times of files do not show everything: a missing output, other options, another
# fastlua. It does not touch unchanged files, so that the firmware's make does not compile them again.

FASTLUA ?= fastlua
FIRMWARE ?= nodemcu-firmware
FAST_MANIFEST ?= fast.toml
FAST_OPTIONS ?=

# A name as one word of the shell.
fast_quoted = '$(subst ','\'',$(1))'
FAST_BUILD = $(FASTLUA) build $(call fast_quoted,$(FAST_MANIFEST)) -o $(call fast_quoted,$(FIRMWARE)/app/modules) \
  --firmware $(call fast_quoted,$(FIRMWARE)) $(FAST_OPTIONS)

.PHONY: firmware fast
firmware: fast
	$(MAKE) -C $(call fast_quoted,$(FIRMWARE))

# The output of fastlua is of interest only if a file was written. A user_modules.h may end without a line break.
fast:
	@header=$(call fast_quoted,$(FIRMWARE)/app/include/user_modules.h); \
	  if [ ! -f "$$header" ]; then \
	    echo "there is no $$header: FIRMWARE has to be NodeMCU's tree for the ESP8266" >&2; exit 1; \
	  fi; \
	  said=$$($(FAST_BUILD)) || exit $$?; \
	  case $$said in *': written'*) printf '%s\n' $(call fast_quoted,$(FAST_BUILD)) "$$said";; esac; \
	  if ! grep -Eq '^[[:blank:]]*#[[:blank:]]*define[[:blank:]]+LUA_USE_MODULES_FAST([[:space:]]|$$)' "$$header"; then \
	    [ -z "$$(tail -c 1 "$$header")" ] || echo >> "$$header"; \
	    echo '#define LUA_USE_MODULES_FAST' >> "$$header"; \
	  fi

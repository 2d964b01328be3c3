--! ends script_error.lua:2: file.open: oops
error("file.open: oops")

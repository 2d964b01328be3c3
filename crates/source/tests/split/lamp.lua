#!/usr/bin/env lua
-- A module that is split: what its user calls is loaded at the first call.
--[[SPLIT MODULE lamp]]

--luacheck: read globals FAST_lamp SPIFFS_lamp
local lamp, index = {pin = 4}, nil

if FAST_lamp then
  function index(_, name) return fast.load('lamp-' .. name) end
elseif SPIFFS_lamp then
  function index(_, name) return loadfile('lamp-' .. name .. '.lc') end
end

if index then return setmetatable(lamp, {__index = index}) end

function lamp.on(...) --[[SPLIT HERE lamp-on]]
local this = ...
  gpio.write(this.pin, 1) --[[ a comment
  over two lines ]]
  this.log "a marker in a string is none: --[[SPLIT HERE x]]"
end --[[SPLIT IGNORE]]
function lamp.off(...) --[[SPLIT HERE lamp-off]]
local this = ...
  gpio.write(this.pin, 0)
end --[[SPLIT IGNORE]]
function lamp.log(...) --[[SPLIT HERE lamp-log]]
  local text = [[
    a long string
  ]]
  print(FAST_lamp, text, ...)
end --[[SPLIT HERE]]
return lamp --[[SPLIT IGNORE]]

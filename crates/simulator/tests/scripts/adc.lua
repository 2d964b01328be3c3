--! pin 0 adc.input 0 512
--! pin 30000 adc.input 0 700
--! reboot
-- The converter measures one of two things, which a restart changes.
file.putcontents("init.lua", [[
  print(adc.read(0), adc.readvdd33(), adc.force_init_mode(adc.INIT_VDD33))
]])
print(adc.read(0), adc.readvdd33(), pcall(adc.read, 1))
--> 512	65535	false	adc 1 does not exist
print(pcall(adc.force_init_mode, 7))
--> false	bad argument #1 to 'force_init_mode' (Invalid mode)
tmr.create():alarm(100, tmr.ALARM_SINGLE, function()
  print(adc.read(0), adc.force_init_mode(adc.INIT_VDD33), adc.force_init_mode(adc.INIT_VDD33))
  node.restart()
end)
--> 700	true	false
--> 65535	3300	false

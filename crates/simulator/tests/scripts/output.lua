-- node.output takes what is printed; node.input is typed text, and its prompt is printed too.
node.output(function(p)
  local text = p:read(1000)
  if text then uart.write(0, "<", text, ">", 10) end
  return false
end, 0)
print("one")
print("two")
tmr.create():alarm(50, tmr.ALARM_SINGLE, function() node.input("=1 + 1\nx") end)
tmr.create():alarm(150, tmr.ALARM_SINGLE, function() node.input(" = 3 print(x)\n") end)
tmr.create():alarm(300, tmr.ALARM_SINGLE, function()
  node.output()
  print("back")
end)
--> <one
--> two
--> >
--> <2
--> > >
--> <3
--> > >
--> back

--! input ab
--! input cd;ef=1
--! input next=1
-- Data from the UART by number, by end and by line; then it goes to the interpreter again.
local stage = 1
uart.on("data", 2, function(data)
  print(stage, #data, data)
  stage = 2
  uart.on("data", ";", function(data)
    print(stage, (data:gsub("\n", "+")))
    stage = 3
    uart.on("data", function(data)
      print(stage, data)
      if data == "next=1" then uart.on("data") end
    end)
  end, 0)
end, 0)
print(uart.setup(0, 115200, 8, uart.PARITY_NONE, uart.STOPBITS_1, 1), uart.getconfig(0))
--> 115200	115200	8	0	1
print(select(2, pcall(uart.on, "error", print)))
--> bad argument #1 to 'on' (method not supported)
uart.write(0, "text", 33, "\n")
--> text!
print(select(2, pcall(uart.write, 0, 256)))
--> invalid number
--> 1	2	ab
--> 2	+cd;
--> 3	ef=1
--> 3	next=1
--> > > 

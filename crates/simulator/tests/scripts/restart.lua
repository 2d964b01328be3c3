--! reboot
-- The boot command runs after each restart; files and settings stay, timers and sockets go.
if file.exists("count") then return end
file.putcontents("count", "1")
file.putcontents("boot.lua", [[
  local count = tonumber(file.getcontents("count"))
  print("boot", count, marker, node.getpartitiontable().lfs_size)
  file.putcontents("count", tostring(count + 1))
  if count == 1 then return node.setpartitiontable {lfs_addr = 0xC0000, lfs_size = 0x10000} end
  if count == 2 then
    print(node.LFS.reload("no.img"))
    file.putcontents("lfs.img", ("x"):rep(300))
    node.LFS.reload("lfs.img")
    return
  end
  print(node.LFS.config.lfs_used)
  tmr.create():alarm(20, tmr.ALARM_SINGLE, function() print("a timer of the third boot") end)
]])
node.startup {command = "@boot.lua"}
marker = "gone"
net.createServer():listen(0, print)
tmr.create():alarm(1000, tmr.ALARM_AUTO, function() print("never") end)
tmr.create():alarm(5, tmr.ALARM_SINGLE, function() node.restart() print("still runs") end)
--> still runs
--> boot	1	nil	0
--> boot	2	nil	65536
--> LFS image file not found
--> LFS region updated (its functions cannot run here).  Restarting.
--> boot	3	nil	65536
--> 300
--> a timer of the third boot

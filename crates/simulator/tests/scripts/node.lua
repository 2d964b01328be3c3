print(type(node.heap()), node.heap() <= 44 * 1024, node.chipid() == node.info("hw").chip_id)
--> number	true	true
print(node.info("build_config").number_type ~= nil, node.info("sw_version").node_version_major, node.bootreason())
--> true	3	2	6
print(node.getcpufreq(), node.setcpufreq(node.CPU160MHZ), node.getcpufreq())
--> 80	160	160
local startup = node.startup {command = "@start.lua", banner = false}
print(startup.command, startup.banner, startup.frequency, node.startup {}.command, node.startup().banner)
--> @start.lua	false	80	nil	true
for _ = 1, 100 do
  local n = node.random(3, 5)
  assert(n >= 3 and n <= 5)
end
print(node.random(7, 7), node.random() < 1, select(2, pcall(node.random, 2, 1)))
--> 7	true	bad argument #2 to 'random' (interval is empty)
local t = node.getpartitiontable()
print(t.lfs_size, t.spiffs_addr, t.spiffs_size)
--> 0	1048576	3133440
print(select(2, pcall(node.setpartitiontable, {lfs_size = 1})))
print(select(2, pcall(node.setpartitiontable, {nothing = 1})))
--> Partition value out of range
--> bad argument #1 to 'setpartitiontable' (invalid partition setting)
print(node.LFS.reload("lfs.img"), node.LFS.get("x"), node.LFS.config.lfs_size)
--> No LFS partition allocated	nil	0
print(select(2, pcall(node.dsleep, 1)))
--> node.dsleep is not simulated

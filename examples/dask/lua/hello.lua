print('Hello, ' .. (... or 'NodeMCU') .. '!')

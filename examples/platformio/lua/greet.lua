-- fast.greet('chip')
return 'Hello, ' .. (... or 'NodeMCU') .. '!'

---@meta

-- Definitions of the module `fast` and of the modules that fastlua ships, for LuaLS (lua-language-server).
-- docs/first-module.md explains how editors use it; tests/editors.rs compares it with fast.c and the modules.

---Lua modules and data that are part of the firmware. `fast.name` is the chunk `name` as a function, or nil if there is none. It
---raises an error if the chunk can't be loaded.
---@class fast
---@field [string] fun(...: any): any
fast = {}

---Data of the image as a string, or a part of it.
---@param name string The name of the data, such as `css/main.css`
---@param offset? integer First byte of the part, from 0 on; 0 by default
---@param length? integer Bytes of the part; by default the rest of the data
---@return string? data nil if there is no data of that name, or if it is damaged or too large for the heap
---@return string? message Why it can't be read
function fast.data(name, offset, length) end

---Describes the module and its contents.
---@return fast.Info info
---@nodiscard
function fast.info() end

---Iterates over all chunks and data in the order of their names. Those in a slot come first.
---@param pattern? string A pattern of `string.find`: only names that match it
---@return fun(pattern: string?, name: string?): (name: string, size: integer, form: fast.Form, heap: integer?) next
---@return string? pattern
---@nodiscard
function fast.list(pattern) end

---Makes a function of a chunk, a new one each time. For modules that must run only once, use `require`.
---@param name string The name of the chunk
---@return (fun(...: any): any)? chunk nil if there is none, or if it can't be loaded
---@return string? message Why it can't be loaded
---@nodiscard
function fast.load(name) end

---A searcher for `package.loaders` (Lua 5.1) or `package.searchers` (Lua 5.3), to change the order in which `require` searches.
---@param name string The argument of `require`
---@return (fun(...: any): any)|string found The chunk, or a message that there is none
function fast.searcher(name) end

---The size of data of the image.
---@param name string The name of the data
---@return integer? bytes nil if there is no data of that name
---@nodiscard
function fast.size(name) end

---Switches a line for each load on or off. It is off after a restart.
---@param on? boolean Without it nothing changes
---@return boolean on Whether it is on
function fast.verbose(on) end

---The form of a chunk.
---@alias fast.Form
---| "bytecode" # A dump for the firmware's Lua
---| "packed" # A dump, compressed
---| "frozen" # Lua's own objects, which run in flash
---| "source" # Text
---| "deflated" # Text, compressed
---| "data" # Any bytes, for `fast.data` only

---What `fast.info` returns.
---@class fast.Info
---@field version string Version of fastlua that made `fast.c`
---@field variant string The Lua that the chunks are for, such as `lua51-float`
---@field bundle string A hash of the compiled-in contents
---@field chunks integer Number of chunks and data
---@field flash integer Bytes of flash that they take
---@field frozen "hook"|"table"|"shadows"|"no" How frozen chunks run
---@field slot? fast.Slot nil if the firmware has no slot

---A region of flash that `fastlua patch` fills with chunks after the firmware is built.
---@class fast.Slot
---@field state "empty"|"good"|"damaged"
---@field capacity integer Bytes of the slot
---@field address integer The address of its first byte for the processor
---@field used? integer Bytes in use, if the state is `good`
---@field bundle? string A hash of its contents, if the state is `good`

-- The modules that fastlua ships. A firmware has those with which it was built.

---A menu on the serial line that sets up a blank chip.
---@param answer? string An answer, from another prompt than the serial line
function fast.config(answer) end

---Lists the files in flash with their sizes.
---@param pattern? string A pattern of `string.find`, such as `%.lua$`
function fast.dir(pattern) end

---An FTP server for the files in flash.
---@return fast.Ftp
---@nodiscard
function fast.ftp() end

---Fetches the source of a module by HTTP.
---@param name string Such as `ftp/ftpserver`
---@param base? string The address of the folder, such as `http://host/lua_modules/`; it is kept in the file get.url
---@param done? fun(size: integer?, fault: string?) Called at the end
---@return fast.Request request
function fast.get(name, base, done) end

---Prints a greeting.
---@param name? string
function fast.hello(name) end

---An HTTP client that fetches files.
---@return fast.Http
---@nodiscard
function fast.http() end

---Splits a source at its SPLIT markers and compiles each piece to a `.lc` file.
---@param source string The file
---@return string[] names The names of the chunks
function fast.split(source) end

---The Lua prompt over TCP.
---@return fast.Telnet
---@nodiscard
function fast.telnet() end

---Serves the data of the image by HTTP.
---@param port? integer 80 by default
---@param missing? string The name of the page for requests that are not found
---@return { close: fun(self: table) } server
function fast.web(port, missing) end

---@class fast.Ftp
local Ftp = {}

---Joins the network, then serves.
---@param user string
---@param pass string
---@param ssid? string Without it, it waits for the stored network
---@param key? string
---@return fast.Ftp
function Ftp:open(user, pass, ssid, key) end

---Serves on the network that is up.
---@param user string
---@param pass string
---@param debug? boolean Whether commands are printed
---@return fast.Ftp
function Ftp:createServer(user, pass, debug) end

---Ends all sessions and the server.
function Ftp:close() end

---@class fast.Telnet
local Telnet = {}

---Joins the network, then serves.
---@param pass? string
---@param ssid? string Without it, it waits for the stored network
---@param key? string
---@return fast.Telnet
function Telnet:open(pass, ssid, key) end

---Serves on the network that is up.
---@param pass? string
---@param port? integer 23 by default
---@return fast.Telnet
function Telnet:createServer(pass, port) end

---Ends all sessions and the server.
function Telnet:close() end

---A running request of `fast.http`.
---@class fast.Request

---@class fast.Http
local Http = {}

---Fetches a file.
---@param url string Such as `http://host/x.lua`
---@param name string The file in flash, at most 31 bytes
---@param done? fun(size: integer?, fault: string?) Called at the end; without it a line is printed
---@return fast.Request request
function Http:get(url, name, done) end

---Ends a request early.
---@param r fast.Request
---@param fault? string The fault that the callback gets
function Http:stop(r, fault) end

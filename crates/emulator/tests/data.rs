//! Data on the emulated chips: `fast.data` gives what was put in, however it is carried, and takes the heap that it says.

mod common;

use common::images::{header, linked, output, put, script};
use common::{bundle, carried, input, overlays, variant};
use fastlua_bundle::c_header;
use fastlua_bundle::{Form, Input};
use fastlua_emulator::{Chip, Core};

/// Names in the order of their bytes.
fn data(form: Form) -> Vec<Input> {
    let page: Vec<u8> = (0..5003u32).map(|i| (i * i / 7 % 251) as u8).collect();
    let all = [
        input("css/main.css", b"body {}"),
        input("empty", b""),
        input("index.html", &page),
        input("word.txt", b"while"),
    ];
    carried(&all, form)
}

/// Reads each, whole and in parts, and sums up what it reads.
const EACH: &[u8] = b"
    local function sum(text)
      local a = 0
      for i = 1, #text do a = (a * 31 + text:byte(i)) % 65521 end
      return a
    end
    for name, bytes, form in fast.list() do
      if form == 'data' then
        local whole = fast.data(name)
        print(name, bytes, #whole, fast.size(name), sum(whole))
        for _, n in ipairs{1, 3, 255, 256, 257, 1000} do
          local at = 0
          if bytes / n < 30 then
            repeat
              local part = fast.data(name, at, n)
              assert(part == whole:sub(at + 1, at + n), n)
              at = at + n
            until part == ''
            assert(at >= bytes)
          end
        end
        whole = nil collectgarbage()
      end
    end
    assert(({['while'] = true})[fast.data 'word.txt'])
    print(fast.data 'css/main.css', fast.data('css/main.css', 5), fast.data('css/main.css', 90, 1) == '')
    print(fast.data 'no', fast.size 'no', fast.data 'hello', fast.size 'hello')
    print(fast.load 'index.html', pcall(function() return fast['word.txt'] end))
    print(fast.searcher 'empty', pcall(fast.data, 'empty', -1), pcall(fast.data, 'empty', 0, -1))
    print(fast.hello)";

/// What all that takes of the heap: nothing where it is a string in flash.
const HEAP: &[u8] = b"
    local function used(...) local before = chip.used() local s = fast.data(...) local n = chip.used() - before return n, #s end
    used 'index.html' collectgarbage() collectgarbage()
    local whole = used 'index.html'
    collectgarbage()
    local part = used('index.html', 1001, 1000)
    chip.limit(3000)
    print(whole == 0, part < 2200, select('#', fast.data('index.html', 0, 100)))
    print(whole > 0 and fast.data 'index.html' == nil or whole == 0)";

fn data_comes_back(chip: Chip, model: &str) {
    let variant = variant(model);
    let with_chunk = |form: Form| {
        let mut inputs = data(form);
        inputs.push(Input {
            form: if form.is_frozen() {
                Form::Frozen { fallback: false }
            } else {
                Form::Bytecode
            },
            ..input("hello", b"return 'hello'")
        });
        inputs
    };
    let mut expected = None;
    for (core, frozen) in [
        (Core::Stock, false),
        (Core::Hooked, false),
        (Core::ReadOnly, true),
        (Core::Hooked, true),
    ] {
        let what = format!("{chip} {model} {core:?} {frozen}");
        let inputs = with_chunk(Form::Data { frozen });
        let compiled = c_header(&bundle(&inputs, &variant), "0").to_string();
        // without a frozen chunk the image has no hook
        let bare = if frozen { core } else { Core::Stock };
        let found = output(&script(chip, &variant, bare, &compiled, EACH), &what);
        let function = |text: &str| text.split("function").next().unwrap().to_owned();
        let found = function(&found);
        assert!(
            found.contains("index.html\t5003\t5003\t5003\t"),
            "{what}: {found}"
        );
        assert_eq!(*expected.get_or_insert(found.clone()), found, "{what}");
        let empty = script(chip, &variant, core, &header(&[], &variant), EACH);
        let patched = empty.patched(&put(&inputs, &variant)).unwrap();
        assert_eq!(
            function(&output(&patched, &what)),
            found,
            "{what}, in a slot"
        );
        if bare == core {
            let linked = linked(&inputs, &variant, (chip, core), EACH, &empty);
            assert_eq!(function(&output(&linked, &what)), found, "{what}, linked");
        }
        let heap = output(&script(chip, &variant, bare, &compiled, HEAP), &what);
        let in_flash =
            core == Core::Hooked && frozen || core == Core::ReadOnly && model.starts_with("51");
        assert_eq!(heap, format!("{in_flash}\ttrue\t1\ntrue\n"), "{what}");
    }
}

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn data_comes_back_lx106() {
    for model in ["51-int", "51-float", "53-int32-float32"] {
        data_comes_back(Chip::Esp8266, model);
    }
}

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn data_comes_back_rv32() {
    for model in ["51-float", "53-int32-float32"] {
        data_comes_back(Chip::Esp32c3, model);
    }
}

/// A network on which each piece has gone when it is sent, as far as a server sees it.
const NETWORK: &[u8] = b"
    local events, sent, pieces = {}, 0, 0
    local socket = {}
    function socket:on(event, f) events[event] = f end
    function socket:send(part) sent, pieces = sent + #part, pieces + 1 self.waits = true end
    function socket:close() self.closed = true end
    local connect
    local timer = {alarm = function() end, unregister = function() end}
    tmr = {create = function() return timer end}
    net = {TCP = 1, createServer = function() return {listen = function(_, port, f) connect = f end} end}
    fast.web(80)
    connect(socket)
    collectgarbage() collectgarbage()
    local before = chip.used()
    chip.limit(4096)
    chip.peak(true)
    events.receive(socket, 'GET /page.html HTTP/1.1\\r\\nHost: chip\\r\\n\\r\\n')
    while socket.waits do socket.waits = false events.sent(socket) end
    print(socket.closed, sent, pieces, chip.peak() - before)";

/// The same for the FTP server: a control connection, and a data connection for each transfer.
const FTP_NETWORK: &[u8] = b"
    local answer = ''
    local function socket()
      local s = {events = {}, sent = 0}
      function s:on(event, f) self.events[event] = f end
      function s:send(part)
        self.sent, self.waits = self.sent + #part, true
        if self.is_control then answer = part end
      end
      function s:close() self.closed = true end
      function s:hold() end
      function s:getpeer() return 1, '10.0.0.2' end
      function s:getaddr() return 1, '10.0.0.1' end
      return s
    end
    local joined
    net = {TCP = 1, createServer = function()
      local server = socket()
      function server:listen(port, f) joined = f or port end
      return server
    end}
    tmr = {create = function() return {alarm = function() end, unregister = function() end, start = function() end} end}
    node = {heap = function() return 0 end}
    file = {list = function() return {} end}
    fast.ftp():createServer('user', 'pwd')
    local control = socket()
    control.is_control = true
    joined(control)
    local function drain(s)
      while s.waits do s.waits = false s.events.sent(s) end
    end
    local function say(line, code)
      drain(control)
      control.events.receive(control, line .. '\\r\\n')
      drain(control)
      if answer:sub(1, 3) ~= code then print(line, answer) end
    end
    drain(control)
    say('USER user', '331')
    say('PASS pwd', '230')
    say('CWD image', '250')
    say('PASV', '227')
    local data = socket()
    joined(data)
    control.events.receive(control, 'RETR page.html\\r\\n')
    collectgarbage() collectgarbage()
    local before, first = chip.used(), data.sent
    chip.limit(4096)
    chip.peak(true)
    drain(data)
    drain(control)
    print(data.closed, first, data.sent, answer:sub(1, 3), chip.peak() - before)";

/// The FTP server gives it out of its folder /image; 4 kB are free once it has begun, which takes the overlays of a
/// command.
#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn a_page_of_100_kb_takes_4_kb_of_heap_by_ftp() {
    for model in ["51-int", "51-float", "53-int32-float32"] {
        let variant = variant(model);
        let page = Input {
            form: Form::Data { frozen: false },
            ..input("page.html", &vec![b'x'; 100_000])
        };
        let mut inputs = overlays(Form::Bytecode);
        inputs.retain(|input| input.name.starts_with("ftp"));
        inputs.push(page);
        let header = c_header(&bundle(&inputs, &variant), "0").to_string();
        let printed = output(
            &script(Chip::Esp8266, &variant, Core::Stock, &header, FTP_NETWORK),
            model,
        );
        let figures: Vec<&str> = printed
            .split_whitespace()
            .skip_while(|w| *w != "true")
            .collect();
        assert_eq!(
            figures[..4],
            ["true", "1024", "100000", "226"],
            "{model}: {printed}"
        );
        let heap: u32 = figures[4].parse().unwrap();
        assert!(heap <= 4096, "{model}: {printed}");
        println!("{model}: {heap} bytes of heap at the most");
    }
}

/// The example of a web server gives out 100 kB where 4 kB of heap are free.
#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn a_page_of_100_kb_takes_4_kb_of_heap() {
    let web = fastlua_firmware::modules()
        .find(|(file, _)| *file == "web.lua")
        .unwrap()
        .1;
    for model in ["51-int", "51-float", "53-int32-float32"] {
        let variant = variant(model);
        let page = Input {
            form: Form::Data { frozen: false },
            ..input("page.html", &vec![b'x'; 100_000])
        };
        let header = c_header(&bundle(&[page, input("web", web)], &variant), "0").to_string();
        let printed = output(
            &script(Chip::Esp8266, &variant, Core::Stock, &header, NETWORK),
            model,
        );
        let figures: Vec<&str> = printed.split_whitespace().collect();
        assert_eq!(figures[..3], ["true", "100087", "99"], "{model}: {printed}");
        let heap: u32 = figures[3].parse().unwrap();
        assert!(heap <= 4096, "{model}: {printed}");
        println!("{model}: {heap} bytes of heap at the most");
    }
}

//! A device among the PC's programs: real clients, its settings file, and what can go wrong around it.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use fastlua_simulator::{Ended, Error, Interrupt, Options, Simulator, Until};
use support::Output;
use tempfile::{TempDir, tempdir};

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// A device whose port 21 is a free one of the PC, with `source` run.
fn device(source: &str) -> (TempDir, Simulator, u16) {
    let folder = tempdir().unwrap();
    let port = free_port();
    let mut options = Options::new(folder.path());
    options.port_map.push((21, port));
    options.output = Box::new(io::sink());
    let mut simulator = Simulator::new(options).unwrap();
    simulator.exec("@test.lua", source.as_bytes()).unwrap();
    (folder, simulator, port)
}

fn client<R: Send + 'static>(
    port: u16,
    work: impl FnOnce(TcpStream) -> R + Send + 'static,
) -> JoinHandle<R> {
    thread::spawn(move || work(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap()))
}

fn soon() -> Until {
    Until::Time(Instant::now() + Duration::from_secs(30))
}

fn noise(size: usize) -> Vec<u8> {
    let mut state = 1u32;
    let step = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..size).map(step).collect()
}

const STORE: &str = "
server = net.createServer()
server:listen(21, function(socket)
  local name = ('f%d'):format((socket:getpeer()))
  local f
  local held
  socket:on('receive', function(_, data)
    f = f or file.open(name, 'w')
    assert(f:write(data))
    if not held then
      held = true
      socket:hold()
      node.task.post(0, function() held = false pcall(socket.unhold, socket) end)
    end
  end)
  socket:on('disconnection', function(_, code)
    assert(code == 0)
    f:close()
    assert(select(2, server:getaddr()) == '0.0.0.0' and server:getaddr() == 21)
    done = (done or 0) + 1
    if done == 2 then server:close() end
  end)
end)";

#[test]
fn thousands_of_connections_leave_nothing() {
    let source = "net.createServer():listen(21, function(socket)
        socket:on('receive', function(s, data) s:send(data, function(same) same:close() end) end)
        socket:on('disconnection', function() end)
        tmr.create():alarm(1, tmr.ALARM_SINGLE, function() end)
    end)";
    let (_folder, mut simulator, port) = device(source);
    let clients = thread::spawn(move || {
        for number in 0..5000 {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
            let text = format!("{number}");
            stream.write_all(text.as_bytes()).unwrap();
            if number % 3 > 0 {
                let mut answer = String::new();
                stream.read_to_string(&mut answer).unwrap();
                assert_eq!(answer, text);
            }
        }
    });
    while !clients.is_finished() {
        let until = Until::Time(Instant::now() + Duration::from_millis(100));
        assert_eq!(simulator.run(until).unwrap(), Ended::Time);
    }
    clients.join().unwrap();
    simulator.lua().gc_collect().unwrap();
    assert!(
        simulator.lua().used_memory() < 500_000,
        "{}",
        simulator.lua().used_memory()
    );
}

#[test]
fn two_uploads_at_once_arrive_whole() {
    let (folder, mut simulator, port) = device(STORE);
    let upload = |mut stream: TcpStream| {
        let data = noise(1_000_000);
        stream.write_all(&data).unwrap();
        (format!("f{}", stream.local_addr().unwrap().port()), data)
    };
    let clients = [client(port, upload), client(port, upload)];
    assert_eq!(simulator.run(soon()).unwrap(), Ended::Idle);
    for client in clients {
        let (name, data) = client.join().unwrap();
        assert_eq!(fs::read(folder.path().join(name)).unwrap(), data);
    }
}

const SERVE: &str = "
server = net.createServer()
server:listen(21, function(socket)
  local left = blocks
  local function more(s)
    if left == 0 then s:close() server:close() return end
    left = left - 1
    s:send(('%4d'):format(left):rep(350))
  end
  socket:on('sent', more)
  socket:on('reconnection', function(_, code) ended = code server:close() end)
  more(socket)
end)";

#[test]
fn a_slow_reader_gets_everything() {
    let (_folder, mut simulator, port) = device(&format!("blocks = 800 {SERVE}"));
    let reader = client(port, |mut stream| {
        thread::sleep(Duration::from_millis(200));
        let mut data = Vec::new();
        stream.read_to_end(&mut data).unwrap();
        data
    });
    assert_eq!(simulator.run(soon()).unwrap(), Ended::Idle);
    let expected: Vec<u8> = (0..800)
        .rev()
        .flat_map(|left| format!("{left:4}").repeat(350).into_bytes())
        .collect();
    assert!(reader.join().unwrap() == expected);
}

#[test]
fn a_client_that_vanishes_is_a_reset() {
    // More than the PC's buffers take.
    let (_folder, mut simulator, port) = device(&format!("blocks = 10000 {SERVE}"));
    let vanishing = client(port, |mut stream| {
        // Data that was never read makes the PC answer with a reset.
        stream.read_exact(&mut [0; 100]).unwrap();
        thread::sleep(Duration::from_millis(50));
    });
    assert_eq!(simulator.run(soon()).unwrap(), Ended::Idle);
    vanishing.join().unwrap();
    assert_eq!(simulator.lua().globals().get::<i64>("ended").unwrap(), -9);
}

#[test]
fn a_port_in_use_is_an_error() {
    let (_folder, mut simulator, port) =
        device("server = net.createServer() server:listen(21, print)");
    let again = "net.createServer():listen(21, print)";
    let error = simulator.exec("=again", again.as_bytes()).unwrap_err();
    assert!(
        error.to_string().starts_with("again:1: address in use"),
        "{error}"
    );
    simulator.exec("=close", b"server:close()").unwrap();
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
    simulator.exec("=again", again.as_bytes()).unwrap();
}

#[test]
fn only_a_wait_that_is_short_enough_is_skipped() {
    let folder = tempdir().unwrap();
    let mut options = Options::new(folder.path());
    options.can_skip = true;
    let mut simulator = Simulator::new(options).unwrap();
    let source =
        "tmr.create():alarm(3600000, tmr.ALARM_SINGLE, function() end) simulator.skip(3599000)";
    simulator.exec("=test", source.as_bytes()).unwrap();
    let until = Until::Time(Instant::now() + Duration::from_millis(50));
    assert_eq!(simulator.run(until).unwrap(), Ended::Time);
    // What was asked for is forgotten, until it is asked for again.
    simulator.exec("=test", b"simulator.skip(3600000)").unwrap();
    assert_eq!(simulator.run(soon()).unwrap(), Ended::Idle);

    let (_folder, simulator, _) = device("");
    let simulator: fastlua_simulator::mlua::Value =
        simulator.lua().globals().get("simulator").unwrap();
    assert!(simulator.is_nil(), "a chip has none");
}

#[test]
fn settings_last() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("settings.json");
    let start = || {
        let mut options = Options::new(folder.path());
        options.settings = Some(path.clone());
        options.output = Box::new(io::sink());
        Simulator::new(options)
    };
    let mut first = start().unwrap();
    let source = "node.startup {command = 'booted = wifi.sta.getconfig()'}
        wifi.sta.config {ssid = 'home', pwd = 'secret'}
        node.setpartitiontable {spiffs_size = 0x100000}";
    first.exec("=first", source.as_bytes()).unwrap();
    assert_eq!(first.run(soon()).unwrap(), Ended::Restart);

    let mut second = start().unwrap();
    second.boot().unwrap();
    assert_eq!(
        second.lua().globals().get::<String>("booted").unwrap(),
        "home"
    );
    second
        .exec(
            "=second",
            b"assert(node.getpartitiontable().spiffs_size == 0x100000)",
        )
        .unwrap();

    fs::write(&path, "{").unwrap();
    let error = start().err().unwrap().to_string();
    assert!(
        error.contains("settings.json: EOF while parsing"),
        "{error}"
    );
}

#[test]
fn a_boot_error_is_printed() {
    let folder = tempdir().unwrap();
    let output = Output::default();
    let mut options = Options::new(folder.path());
    options.output = Box::new(output.clone());
    let mut simulator = Simulator::new(options).unwrap();
    fs::write(folder.path().join("init.lua"), "error('broken')").unwrap();
    simulator.boot().unwrap();
    assert!(
        output
            .0
            .borrow()
            .starts_with(b"init.lua:1: broken\nstack traceback:\n")
    );
    assert_eq!(simulator.run(Until::Idle).unwrap(), Ended::Idle);
}

#[test]
fn a_missing_root_is_an_error() {
    let error = Simulator::new(Options::new("/nonexistent/flash"))
        .err()
        .unwrap();
    let expected = "cannot use as the file system: /nonexistent/flash: not a folder";
    assert_eq!(format!("{:#}", anyhow::Error::from(error)), expected);
}

struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_closed_output_ends_the_run() {
    let folder = tempdir().unwrap();
    let mut options = Options::new(folder.path());
    options.output = Box::new(Closed);
    let mut simulator = Simulator::new(options).unwrap();
    simulator
        .exec("=test", b"tmr.create():alarm(1, 1, print)")
        .unwrap();
    assert!(matches!(simulator.run(soon()), Err(Error::Io { .. })));
}

#[test]
fn an_extension_survives_a_restart() {
    let folder = tempdir().unwrap();
    let mut options = Options::new(folder.path());
    options.restart = fastlua_simulator::Restart::Reboot;
    let mut simulator = Simulator::new(options).unwrap();
    simulator
        .extend(|lua| lua.globals().set("extension", 7))
        .unwrap();
    fs::write(
        folder.path().join("init.lua"),
        "assert(extension == 7) done = true",
    )
    .unwrap();
    simulator
        .exec("=test", b"assert(extension == 7) node.restart()")
        .unwrap();
    assert_eq!(simulator.run(Until::Idle).unwrap(), Ended::Idle);
    assert!(simulator.lua().globals().get::<bool>("done").unwrap());
}

#[test]
fn a_chunk_error_has_its_place_and_traceback() {
    let (_folder, mut simulator, _) = device("");
    let error = simulator
        .exec("@a.lua", b"local function f() error('oops') end\nf()")
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("a.lua:1: oops\nstack traceback:"),
        "{error}"
    );
    let error = simulator.exec("@a.lua", b"\nx x").unwrap_err();
    assert!(error.to_string().starts_with("a.lua:2: "), "{error}");
    let error = simulator.exec("@a.lua", b"\x1bLuaX").unwrap_err();
    assert!(matches!(error, Error::Lua(_)), "{error}");
}

/// Every way to a file that a module has, with each name in turn.
const EVERY_WAY: &str = "
for _, name in ipairs(names) do
  local found = {}
  local function try(f, ...)
    local ok, value = pcall(f, ...)
    if ok and type(value) == 'string' then found[#found + 1] = value end
    return ok and value
  end
  for _, mode in ipairs {'r', 'r+', 'w', 'w+', 'a', 'a+'} do
    local f = try(file.open, name, mode)
    if f then
      try(f.read, f)
      try(f.write, f, 'changed')
      try(f.close, f)
    end
  end
  try(file.getcontents, name)
  try(file.putcontents, name, 'changed')
  try(node.compile, name .. '.lua')
  file.putcontents('mine.lua', 'return 1')
  try(file.rename, 'mine.lua', name)
  try(file.rename, name, 'taken')
  try(file.getcontents, 'taken')
  file.remove('taken')
  try(file.remove, name)
  for _, load in ipairs {loadfile, dofile, require} do try(load, name) end
  for _, value in ipairs(found) do assert(not value:find('secret'), name) end
  assert(not file.list()[name] or file.getcontents(name) ~= 'secret')
end
for name in pairs(file.list()) do assert(file.getcontents(name) ~= 'secret', name) end
done = true";

#[test]
fn no_path_leaves_the_folder() {
    let outside = tempdir().unwrap();
    let root = outside.path().join("flash");
    fs::create_dir(&root).unwrap();
    fs::write(outside.path().join("secret.lua"), "secret").unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    for (link, target) in [
        ("link", "../secret"),
        ("link.lua", "../secret.lua"),
        ("dangling", "../made"),
        ("made.lc", "../made.lc"),
        ("folder", ".."),
        ("zero", "/dev/zero"),
    ] {
        std::os::unix::fs::symlink(target, root.join(link)).unwrap();
    }
    fs::create_dir(root.join("sub")).unwrap();
    let before = tree(outside.path());

    let absolute = outside.path().join("secret").display().to_string();
    let names = [
        "../secret",
        "/../secret",
        "..",
        ".",
        "",
        "/",
        "/FLASH/../secret",
        "/FLASH//etc/passwd",
        "/etc/passwd",
        "sub/../../secret",
        "folder/secret",
        "..\\secret",
        "%2E%2E%2Fsecret",
        "link",
        "link.lua",
        "dangling",
        "made",
        "made.lc",
        "folder",
        "zero",
        "sub",
        "C:secret",
        &absolute,
    ];
    let mut options = Options::new(&root);
    options.output = Box::new(io::sink());
    let simulator = Simulator::new(options).unwrap();
    let lua = simulator.lua();
    let list = lua.create_sequence_from(names).unwrap();
    list.raw_push("../secret\0").unwrap();
    lua.globals().set("names", list).unwrap();
    lua.load(EVERY_WAY).exec().unwrap();
    assert!(lua.globals().get::<bool>("done").unwrap());

    let ours = |path: &String| !path.starts_with("flash/") || before.contains_key(path);
    let after: BTreeMap<_, _> = tree(outside.path())
        .into_iter()
        .filter(|(path, _)| ours(path))
        .collect();
    assert_eq!(after, before);
}

/// What lies below a folder, by path: contents, the target of a link, nothing of a folder.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let (path, kind) = entry.map(|e| (e.path(), e.file_type().unwrap())).unwrap();
            let content = match () {
                () if kind.is_symlink() => fs::read_link(&path)
                    .unwrap()
                    .into_os_string()
                    .into_encoded_bytes(),
                () if kind.is_dir() => Vec::new(),
                () => fs::read(&path).unwrap(),
            };
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            found.insert(name, content);
            if kind.is_dir() {
                folders.push(path);
            }
        }
    }
    found
}

/// `192.0.2.1` is nobody's address: it is for documentation.
#[test]
fn nothing_leaves_this_pc_unless_asked() {
    let (_folder, mut simulator, port) = device("net.createServer():listen(21, '0.0.0.0', print)");
    for code in [
        "net.createConnection():connect(80, '192.0.2.1')",
        "net.createConnection():connect(80, 'example.com')",
        "net.dns.resolve('example.com', print)",
        "local s = net.createConnection() s:dns('example.com', print)",
    ] {
        let error = simulator
            .exec("=test", code.as_bytes())
            .unwrap_err()
            .to_string();
        let host = if code.contains("192") {
            "192.0.2.1"
        } else {
            "example.com"
        };
        assert!(
            error.contains(&format!("{host} is not this PC")),
            "{code}: {error}"
        );
    }
    // It listens on this address and no other, whatever the module says.
    assert!(TcpStream::connect((Ipv4Addr::new(127, 0, 0, 2), port)).is_err());
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok());

    let folder = tempdir().unwrap();
    let mut options = Options::new(folder.path());
    options.allow_network = true;
    let mut simulator = Simulator::new(options).unwrap();
    let code = "s = net.createConnection() s:connect(80, '192.0.2.1') s:close()";
    simulator.exec("=test", code.as_bytes()).unwrap();
}

#[test]
fn a_peer_that_closed_its_half_has_ended() {
    let source = "server = net.createServer()
        server:listen(21, function(socket)
          local got = 0
          socket:on('receive', function(_, data) got = got + #data end)
          socket:on('disconnection', function(_, code)
            total, fault = got, code
            server:close()
          end)
        end)";
    let (_folder, mut simulator, port) = device(source);
    let peer = client(port, |mut stream| {
        stream.write_all(&noise(100_000)).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        rest
    });
    assert_eq!(simulator.run(soon()).unwrap(), Ended::Idle);
    assert_eq!(peer.join().unwrap(), b"");
    assert_eq!(
        simulator.lua().globals().get::<i64>("total").unwrap(),
        100_000
    );
    assert_eq!(simulator.lua().globals().get::<i64>("fault").unwrap(), 0);
}

#[test]
fn an_interrupt_ends_what_runs_and_nothing_else() {
    let folder = tempdir().unwrap();
    let interrupt = Interrupt::default();
    let mut options = Options::new(folder.path());
    options.interrupt = Some(interrupt.clone());
    let output = Output::default();
    options.output = Box::new(output.clone());
    let mut simulator = Simulator::new(options).unwrap();
    for source in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "coroutine.wrap(function() while true do end end)()",
        "while true do pcall(coroutine.wrap(function() while true do end end)) end",
        "while true do pcall(error) end",
    ] {
        let interrupt = interrupt.clone();
        let other = thread::spawn(move || {
            thread::sleep(Duration::from_millis(30));
            assert!(interrupt.ask());
        });
        let error = simulator.exec("=test", source.as_bytes()).unwrap_err();
        other.join().unwrap();
        assert!(
            error.to_string().contains("interrupted!"),
            "{source}: {error}"
        );
        simulator.exec("=test", b"assert(1 + 1 == 2)").unwrap();
    }
    let source = "local t = tmr.create() t:alarm(1, 1, function()
        n = (n or 0) + 1
        if n == 3 then t:stop() end
        while n == 1 do end
    end)";
    simulator.exec("=test", source.as_bytes()).unwrap();
    let other = thread::spawn(move || {
        thread::sleep(Duration::from_millis(100));
        interrupt.ask();
    });
    assert_eq!(simulator.run(soon()).unwrap(), Ended::Idle);
    other.join().unwrap();
    assert_eq!(simulator.lua().globals().get::<i64>("n").unwrap(), 3);
    assert!(output.0.borrow().starts_with(b"Lua error: interrupted!"));
}

/// A server that answers one question with this time in seconds since 1970, after one that no one asked for.
fn time_server(seconds: u64) -> (u16, JoinHandle<()>) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = socket.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let mut question = [0; 48];
        let (length, client) = socket.recv_from(&mut question).unwrap();
        assert_eq!((length, question[0]), (48, 0b00_100_011));
        let mut answer = [0; 48];
        answer[0] = 0b01_100_100;
        answer[1] = 2;
        let stamp = (seconds + 2_208_988_800) << 32 | 1 << 31;
        answer[32..40].copy_from_slice(&stamp.to_be_bytes());
        answer[40..].copy_from_slice(&stamp.to_be_bytes());
        socket.send_to(&answer, client).unwrap();
        answer[24..32].copy_from_slice(&question[40..]);
        socket.send_to(&answer, client).unwrap();
    });
    (port, server)
}

#[test]
fn the_time_comes_from_a_server() {
    let (port, server) = time_server(1_700_000_000);
    let folder = tempdir().unwrap();
    let mut options = Options::new(folder.path());
    options.port_map.push((123, port));
    let output = Output::default();
    options.output = Box::new(output.clone());
    let mut simulator = Simulator::new(options).unwrap();
    let source = "sntp.sync('127.0.0.1', function(sec, usec, server, info)
        local now = rtctime.get()
        print(sec, usec >= 500000, server, info.stratum, info.leap, info.offset_s, info.delay_us >= 0, now - sec < 2)
    end, print)
    print(pcall(sntp.sync, '127.0.0.1'))
    print(pcall(sntp.sync, 'pool.ntp.org'))";
    simulator.exec("=test", source.as_bytes()).unwrap();
    assert_eq!(simulator.run(soon()).unwrap(), Ended::Idle);
    server.join().unwrap();
    // Nobody is there any more.
    let source = "sntp.sync(nil, print, function(code, text) print('failed', code, text) end)
    print(pcall(sntp.sync, 'pool.ntp.org'))";
    simulator.exec("=test", source.as_bytes()).unwrap();
    assert_eq!(simulator.run(soon()).unwrap(), Ended::Idle);
    let outside =
        "print(pcall(sntp.sync, 'pool.ntp.org')) sntp.setoffset(3) print(sntp.getoffset())";
    simulator.exec("=test", outside.as_bytes()).unwrap();
    let expected = "false\tsync in progress
false\tsync in progress
1700000000\ttrue\t127.0.0.1\t2\t1\t1700000000\ttrue\ttrue
false\tsync in progress
failed\t4\tnil
false\tpool.ntp.org is not this PC, and network access is not allowed
3
";
    let output = String::from_utf8(output.0.borrow().clone()).unwrap();
    assert_eq!(output, expected);
}

#[test]
fn what_is_typed_is_text() {
    let folder = tempdir().unwrap();
    let output = Output::default();
    let mut options = Options::new(folder.path());
    options.output = Box::new(output.clone());
    let mut simulator = Simulator::new(options).unwrap();
    simulator.input(b"\x1b[A\n\x1bLua\nx x\n");
    assert_eq!(simulator.run(soon()).unwrap(), Ended::Idle);
    let said = String::from_utf8(output.0.borrow().clone()).unwrap();
    let errors: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("Lua error"))
        .collect();
    assert_eq!(errors.len(), 3, "{said}");
    for error in errors {
        assert!(error.contains("Lua error: stdin:1: "), "{error}");
    }
}

#[test]
fn a_device_reaches_its_own_server_at_the_devices_port() {
    let source = "server = net.createServer()
        server:listen(21, function(socket) socket:send('hi', function(s) s:close() end) end)
        local client = net.createConnection()
        client:on('receive', function(_, data) got = data end)
        client:on('disconnection', function() server:close() end)
        client:connect(21, '127.0.0.1')";
    let (_folder, mut simulator, _) = device(source);
    assert_eq!(simulator.run(soon()).unwrap(), Ended::Idle);
    assert_eq!(
        simulator.lua().globals().get::<String>("got").unwrap(),
        "hi"
    );
}

//! `mqtt` with a real broker: Debian's mosquitto.

mod support;

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use fastlua_simulator::{Ended, Options, Simulator, Until};
use support::Output;
use tempfile::tempdir;

struct Broker {
    child: Child,
    port: u16,
}

impl Broker {
    fn start() -> Broker {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let mut command = Command::new("mosquitto");
        // Debian keeps it where only root looks.
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{path}:/usr/sbin"));
        command.args(["-p", &port.to_string()]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap_or_else(|error| {
            panic!("mosquitto can't be run: {error}; scripts/test installs what the tests need")
        });
        let broker = Broker { child, port };
        let end = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(Instant::now() < end, "mosquitto does not listen");
            sleep(Duration::from_millis(20));
        }
        broker
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const SOURCE: &str = r##"
local got = {}
local reader, writer, watcher = mqtt.Client("reader", 5, "user", "any", 1, 200), mqtt.Client("writer"), mqtt.Client("watcher")
local function log(...)
  local line = {...}
  for i = 1, select("#", ...) do line[i] = tostring(line[i]) end
  got[#got + 1] = table.concat(line, " ")
end
local function finish()
  table.sort(got)
  print(table.concat(got, "\n"))
  reader:close()
  writer:close()
end
reader:on("message", function(_, topic, data)
  log("message", topic, data)
  if topic == "end" then finish() end
end)
reader:on("overflow", function(_, topic, data) log("overflow", topic, #data) end)
reader:on("offline", function() log("offline") end)
writer:on("connfail", print)
reader:connect("127.0.0.1", port, function()
  reader:subscribe({a = 0, b = 1, c = 2, ["d/+"] = 0, ["end"] = 2}, function()
    writer:lwt("a", "never: it says goodbye")
    writer:connect("localhost", port, false, function()
      local count = 0
      writer:on("puback", function()
        count = count + 1
        if count == 6 then writer:publish("end", "", 2, 0) end
      end)
      writer:publish("a", "zero", 0, 0)
      writer:publish("b", "one", 1, 0)
      writer:publish("c", "two", 2, 0)
      writer:publish("d/e", "kept", 0, 1)
      writer:publish("a", ("x"):rep(300), 1, 0)
      writer:publish("a", "behind", 0, 0)
      print(writer:publish("a", ("x"):rep(2000), 0, 0))
    end)
  end)
end)"##;

#[test]
#[ignore = "needs mosquitto"]
fn messages_go_through_a_broker() {
    let broker = Broker::start();
    let folder = tempdir().unwrap();
    let mut options = Options::new(folder.path());
    let output = Output::default();
    options.output = Box::new(output.clone());
    let mut simulator = Simulator::new(options).unwrap();
    simulator.lua().globals().set("port", broker.port).unwrap();
    simulator.exec("=test", SOURCE.as_bytes()).unwrap();
    let soon = || Until::Time(Instant::now() + Duration::from_secs(30));
    assert_eq!(simulator.run(soon()).unwrap(), Ended::Idle);
    let said = String::from_utf8(output.0.borrow().clone()).unwrap();
    let expected = "false
message a behind
message a zero
message b one
message c two
message d/e kept
message end nil
overflow a 194
";
    assert_eq!(said, expected);

    // A broker keeps retained messages, and does not drop an idle client.
    output.0.borrow_mut().clear();
    let source = r#"
    local idle = mqtt.Client("idle", 1)
    idle:on("message", function(_, topic, data)
      print(topic, data)
      tmr.create():alarm(4000, tmr.ALARM_SINGLE, function() idle:close() end)
    end)
    idle:on("offline", function() print("offline after", tmr.time() - began > 2) end)
    idle:connect("127.0.0.1", port, 0, function()
      began = tmr.time()
      idle:subscribe("d/e", 0)
    end)"#;
    simulator.exec("=test", source.as_bytes()).unwrap();
    assert_eq!(simulator.run(soon()).unwrap(), Ended::Idle);
    let said = String::from_utf8(output.0.borrow().clone()).unwrap();
    assert_eq!(said, "d/e\tkept\noffline after\ttrue\n");

    // No longer there: what was connected hears of it.
    output.0.borrow_mut().clear();
    let source = r#"
    local m = mqtt.Client("left")
    m:on("offline", function() print("offline") end)
    m:connect("127.0.0.1", port, function() print("online") stop = true end)"#;
    simulator.exec("=test", source.as_bytes()).unwrap();
    while !simulator.lua().globals().get::<bool>("stop").unwrap() {
        let moment = Until::Time(Instant::now() + Duration::from_millis(50));
        simulator.run(moment).unwrap();
    }
    drop(broker);
    assert_eq!(simulator.run(soon()).unwrap(), Ended::Idle);
    assert_eq!(*output.0.borrow(), b"online\noffline\n");
}

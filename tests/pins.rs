//! `fastlua run --pins` and `--pin-inputs`: what modules do at the pins, as text.

mod support;

use std::fs;

use support::{fail, fastlua, put, succeed};

/// The lines of a trace without their times, which grow from start to start.
fn events(trace: &str) -> Vec<String> {
    let mut lines = trace.lines();
    assert_eq!(lines.next(), Some("fastlua-pins 1"));
    let mut last = 0;
    let line = |line: &str| {
        let (time, event) = line.split_once(' ').unwrap();
        let time: u64 = time.parse().unwrap();
        assert!(time >= last, "{trace}");
        last = if event == "restart" { 0 } else { time };
        event.to_owned()
    };
    lines.map(line).collect()
}

#[test]
fn a_trace_tells_what_happened_and_can_be_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    let inputs = "fastlua-pins 1\n\
        0 i2c.input 0 0x40 0a\n\
        20000 gpio.input 3 1\n";
    put(f, "in.txt", inputs);
    put(
        f,
        "led.lua",
        "gpio.mode(4, gpio.OUTPUT)
        gpio.mode(3, gpio.INT)
        gpio.trig(3, 'up', function(level) gpio.write(4, level) print('up') end)
        i2c.setup(0, 1, 2, i2c.SLOW)
        i2c.start(0)
        i2c.address(0, 0x40, i2c.RECEIVER)
        print(i2c.read(0, 1):byte())
        i2c.stop(0)
        pwm.setup(5, 100, 7)
        pwm.start(5)",
    );
    let run = |inputs: &str, trace: &str| {
        let args = [
            "run",
            "--script",
            "led.lua",
            "--pin-inputs",
            inputs,
            "--pins",
            trace,
        ];
        let said = succeed(fastlua(f).args(args));
        assert_eq!(said, "10\nup\n");
        events(&fs::read_to_string(f.join(trace)).unwrap())
    };
    let first = run("in.txt", "out.txt");
    let expected = [
        "i2c.input 0 0x40 0a",
        "gpio.mode 4 output float",
        "gpio.mode 3 int float",
        "gpio.trig 3 up",
        "i2c.setup 0 1 2 100000",
        "i2c.start 0",
        "i2c.address 0 0x40 read ack",
        "i2c.read 0 0a",
        "i2c.stop 0",
        "pwm.setup 5 100 7",
        "pwm.start 5",
        "gpio.input 3 1",
        "gpio.write 4 1",
    ];
    assert_eq!(first, expected);
    // Times of the trace are a little later, so the first input has to come at once.
    let trace = fs::read_to_string(f.join("out.txt")).unwrap();
    let (head, rest) = trace.split_once('\n').unwrap();
    let (_, rest) = rest.split_once(' ').unwrap();
    put(f, "again.txt", format!("{head}\n0 {rest}"));
    assert_eq!(run("again.txt", "out2.txt"), expected);
}

#[test]
fn a_full_disk_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    let code = "gpio.write(4, 1)";
    let said = fail(fastlua(f).args(["run", "-e", code, "--pins", "/dev/full"]));
    assert!(
        said.contains("cannot write the trace of the pins"),
        "{said}"
    );
}

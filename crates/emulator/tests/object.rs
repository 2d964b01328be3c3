//! Objects that someone else has compiled are linked beside C files, and count as flash.

mod common;

use std::fs;
use std::process::Command;

use common::{TIMEOUT, layout, tools, work};
use fastlua_emulator::{Chip, Image};

/// Prints what the object has, then writes to it.
const MAIN: &[u8] = b"
    #include <stdio.h>
    extern const int of_the_object[];
    int main (void) {
      printf(\"%d\\n\", of_the_object[1]);
      *(volatile int *)of_the_object = 0;
      printf(\"alive\\n\");
      return 0;
    }";

#[test]
#[ignore = "needs the chips' cross compilers and emulators"]
fn an_object_is_linked_into_flash() {
    for (chip, gcc) in [
        (Chip::Lx106, "xtensa-lx106-elf-gcc"),
        (Chip::Rv32, "riscv64-unknown-elf-gcc"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("a.c");
        let object = folder.path().join("a.o");
        fs::write(&source, "const int of_the_object[] = {1, 42};").unwrap();
        let mut command = Command::new(gcc);
        if chip == Chip::Rv32 {
            command.args(["-march=rv32imc", "-mabi=ilp32"]);
        }
        command.arg("-c").arg(&source).arg("-o").arg(&object);
        assert!(command.status().unwrap().success(), "{command:?}");
        let object = fs::read(object).unwrap();
        let files: [(&str, &[u8]); 2] = [("main.c", MAIN), ("a.o", &object)];
        let image = Image::build(&tools(chip), &work(), &layout("51-int"), &files).unwrap();
        let output = image.run(TIMEOUT).unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        // the lx106 has flash closed only where reads of it are counted
        match chip {
            Chip::Lx106 => assert_eq!((&*printed, output.status), ("42\nalive\n", 0)),
            Chip::Rv32 => {
                assert_eq!((&*printed, output.status), ("42\n", 70));
                assert!(errors.contains("CPU exception 7 "), "{errors}");
            }
        }
    }
}

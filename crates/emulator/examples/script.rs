//! Runs a Lua script on an emulated chip: `cargo run -p fastlua-emulator --example script -- CHIP MODEL FILE`,
//! where CHIP is `esp8266` or `esp32c3`, and MODEL a number model such as `51-int` or `53-int32-float32`.

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use std::{env, fs};

use fastlua_emulator::{Chip, Core, Image, Toolchain};
use fastlua_variants::Variants;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [chip, model, file] = &arguments[..] else {
        return Err("give a chip, a number model and a Lua file".into());
    };
    let chip = Chip::ALL.into_iter().find(|c| c.name() == chip);
    let chip = chip.ok_or("the chip is esp8266 or esp32c3")?;
    let variants = Variants::built_in();
    let variant = variants
        .iter()
        .find(|variant| variant.layout.numbers().name() == *model)
        .ok_or("no variant has this number model")?;
    let work = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/emulator");
    let script = fs::read(file)?;
    let image = Image::script(
        &Toolchain::find(chip)?,
        &work,
        &variant.layout,
        Core::Stock,
        &[],
        &script,
        false,
    )?;
    let output = image.run(Duration::from_secs(600))?;
    io::stdout().write_all(&output.stdout)?;
    io::stderr().write_all(&output.stderr)?;
    Ok(ExitCode::from(u8::try_from(output.status)?))
}

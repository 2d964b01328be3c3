//! What is written reads back, at any address.

mod common;

use common::{layouts, made_up};
use fastlua_bytecode::{Chunk, Constant, Dialect, Function, FunctionPath, Layout};
use fastlua_lfs::{
    Image, Module, Place, Unproved, Word, WriteError, is_image, prove, read, region, write,
    write_with_line_info,
};
use fastlua_verifier::verify;

fn lua51() -> Layout {
    let is_51 = |l: &Layout| l.dialect() == Dialect::Lua51 && l.float == 8;
    layouts().into_iter().find(is_51).unwrap()
}

#[test]
fn made_up_images_come_back() {
    for layout in layouts() {
        for seed in 0..25 {
            let image = made_up(layout, seed, 1 + seed % 5);
            let (bytes, sizes) = write(&image).unwrap();
            prove(&bytes, &image).unwrap_or_else(|e| panic!("{layout}, {seed}: {e}"));
            assert!(is_image(&bytes));
            let found = read(&bytes).unwrap();
            assert_eq!(found.sizes, sizes, "{layout}, {seed}");
            let (again, _) = write(&found.image).unwrap();
            assert_eq!(again, bytes, "{layout}, {seed}");
        }
    }
}

/// 5.1 has no words for the upvalues of a module. In 5.3 they are those of any main function.
#[test]
fn a_module_with_upvalues_is_for_53() {
    for layout in layouts() {
        let mut image = made_up(layout, 5, 2);
        let upvalue = fastlua_bytecode::Upvalue::default();
        image.modules[1].chunk.main.upvalues = vec![upvalue; 3];
        match write(&image) {
            Ok((bytes, _)) => {
                assert_eq!(layout.dialect(), Dialect::Lua53);
                prove(&bytes, &image).unwrap();
            }
            Err(error) => {
                assert_eq!(layout.dialect(), Dialect::Lua51);
                assert!(error.to_string().starts_with("module module1 has upvalues"));
            }
        }
    }
}

#[test]
fn an_image_for_an_address_is_its_memory() {
    for aligned in [false, true] {
        let image = Image {
            place: Place::At(0x4028_0000),
            aligned,
            ..made_up(lua51(), 3, 4)
        };
        let (bytes, sizes) = write(&image).unwrap();
        assert_eq!(bytes.len(), sizes.total);
        prove(&bytes, &image).unwrap();
        assert_eq!(write(&read(&bytes).unwrap().image).unwrap().0, bytes);
        let elsewhere = Image {
            place: Place::At(0x4021_0000),
            ..image
        };
        assert_eq!(prove(&bytes, &elsewhere), Err(Unproved::Other("place")));
    }
}

/// An image of so many modules that return their own number.
fn numbered(layout: Layout, count: usize) -> Image {
    let module = |i: usize| Module {
        name: format!("m{i}").into(),
        chunk: Chunk {
            layout,
            main: Function {
                source: Some("@m.lua".into()),
                vararg: 2,
                max_stack: 2,
                // LOADK 0 0; RETURN 0 2; RETURN 0 1
                code: vec![1, 30 | 2 << 23, 30 | 1 << 23],
                constants: vec![match layout.float {
                    0 => Constant::Integer(i as i64),
                    _ => Constant::Float(i as f64),
                }],
                ..Function::default()
            },
        },
    };
    Image {
        modules: (0..count).map(module).collect(),
        ..made_up(layout, 7, 0)
    }
}

#[test]
fn any_number_of_modules_is_found() {
    for layout in layouts()
        .into_iter()
        .filter(|l| l.dialect() == Dialect::Lua51)
    {
        for count in [1, 49, 50, 51, 100, 256, 257, 600] {
            let image = numbered(layout, count);
            let (bytes, _) = write(&image).unwrap();
            prove(&bytes, &image).unwrap();
            let found = read(&bytes).unwrap();
            let mut main = found.index.unwrap();
            main.functions = image.modules.into_iter().map(|m| m.chunk.main).collect();
            assert!(main.max_stack <= 53);
            verify(&Chunk { layout, main }).unwrap_or_else(|e| panic!("{count}: {e}"));
        }
    }
}

#[test]
fn what_no_image_holds_is_refused() {
    let image = made_up(lua51(), 1, 2);
    let mut twice = image.clone();
    twice.modules[1].name = "module0".into();
    assert_eq!(write(&twice), Err(WriteError::Twice("module0".into())));
    let mut none = image.clone();
    none.modules.clear();
    assert_eq!(write(&none), Err(WriteError::Empty));
    for address in [0x4028_0001, 0x1000, 0x4040_0000] {
        let image = Image {
            place: Place::At(address),
            ..image.clone()
        };
        assert_eq!(write(&image), Err(WriteError::Address(address)));
    }
    for layout in layouts() {
        let other = Image {
            layout,
            place: Place::At(0x4028_0000),
            ..made_up(layout, 1, 1)
        };
        let is_53 = layout.dialect() == Dialect::Lua53;
        assert_eq!(write(&other).err() == Some(WriteError::Stream), is_53);
        let mixed = Image {
            layout,
            ..image.clone()
        };
        let refused = write(&mixed).err();
        assert_eq!(
            refused == Some(WriteError::Mixed("module0".into())),
            layout != image.layout
        );
    }
}

/// 5.3 counts modules in a byte, and looks for names that begin with `__` in front only.
#[test]
fn what_5_3_would_not_find_is_refused() {
    for layout in layouts() {
        let is_53 = layout.dialect() == Dialect::Lua53;
        assert!(write(&numbered(layout, 255)).is_ok());
        let many = write(&numbered(layout, 256)).err();
        assert_eq!(many == Some(WriteError::Modules(256, 255)), is_53);
        let mut image = numbered(layout, 3);
        image.modules[0].name = "__a".into();
        assert!(write(&image).is_ok());
        image.modules[2].name = "__b".into();
        let hidden = write(&image).err();
        assert_eq!(hidden == Some(WriteError::Hidden("__b".into())), is_53);
    }
}

#[test]
fn the_same_modules_give_the_same_bytes_and_others_another_seed() {
    for layout in layouts() {
        let image = made_up(layout, 5, 3);
        assert_eq!(write(&image), write(&image));
        let seed = |image: &Image| read(&write(image).unwrap().0).unwrap().image.seed;
        let is_53 = layout.dialect() == Dialect::Lua53;
        assert_eq!(seed(&image) != seed(&made_up(layout, 6, 3)), is_53);
    }
}

/// The loader on the chip has "userdata" twice among the strings of every core, as numbers 66 and 70 of them: its
/// table of strings gives the second, and it counts the types after it one higher than `luac.cross` does.
#[test]
fn strings_of_every_core_have_the_numbers_of_the_loader() {
    let fixed = [
        ("and", 1),
        ("table", 69),
        ("userdata", 70),
        ("thread", 71),
        ("proto", 72),
    ];
    for layout in layouts()
        .into_iter()
        .filter(|l| l.dialect() == Dialect::Lua53)
    {
        let mut image = numbered(layout, 1);
        let texts = fixed.map(|(text, _)| Constant::String(text.into()));
        image.modules[0].chunk.main.constants = texts.to_vec();
        let (bytes, _) = write(&image).unwrap();
        prove(&bytes, &image).unwrap();
        let found = read(&bytes).unwrap();
        // "=(luac.cross)", the module's name and its source
        assert_eq!(found.strings, 3);
        // count, then each as a typed number of 7 bits behind four
        let mut expected = vec![fixed.len() as u8];
        for (_, number) in fixed {
            let number = number + 3;
            expected.extend(if number < 16 {
                vec![0x50 | number]
            } else {
                vec![0xd0, number]
            });
        }
        let there = bytes.windows(expected.len()).any(|w| w == expected);
        assert!(there, "{layout}");
    }
}

/// A short constant is the very string that a core finds in the table of strings: it compares addresses.
#[test]
fn constants_are_the_strings_that_the_chip_finds() {
    let texts = [
        "nil",
        "boolean",
        "userdata",
        "number",
        "string",
        "table",
        "function",
        "thread",
        "proto",
        "no value",
        "_ENV",
        "__gc",
        "and",
        "while",
        "<eof>",
        "not enough memory",
        "mine",
    ];
    for layout in layouts()
        .into_iter()
        .filter(|l| l.dialect() == Dialect::Lua53)
    {
        let mut image = numbered(layout, 1);
        let constants = texts.map(|text| Constant::String(text.into()));
        image.modules[0].chunk.main.constants = constants.to_vec();
        let memory = region(&write(&image).unwrap().0).unwrap();
        let words: Vec<Word> = memory.words().collect();
        let number = |at: usize| match words[at] {
            Word::Number(number) => number as usize,
            Word::Address(_) => panic!("an address at {at}"),
        };
        let place = |at: usize| match words[at] {
            Word::Address(to) => Some(to as usize / 4),
            Word::Number(0) => None,
            Word::Number(_) => panic!("a number at {at}"),
        };
        // bytes, as many as the third byte behind the link says, behind four words
        let bytes = memory.at(0);
        let text = |at: usize| {
            let from = 4 * (at + 4);
            &bytes[from..from + usize::from(bytes[4 * at + 7])]
        };
        let (chains, table) = (number(5), number(6));
        // the first string of its chain that has this text
        let find = |wanted: &str| {
            let mut firsts = (0..chains).filter_map(|chain| {
                let mut at = place(table + chain);
                while let Some(string) = at.filter(|at| text(*at) != wanted.as_bytes()) {
                    at = place(string + 3);
                }
                at
            });
            (firsts.next(), firsts.next())
        };
        let function = number(8);
        let count = number(function + 4);
        assert_eq!(count, texts.len());
        let constants = place(function + 11).unwrap();
        let value = match (layout.integer, layout.float) {
            (4, 4) => 2,
            _ => 3,
        };
        for (i, wanted) in texts.iter().enumerate() {
            let named = place(constants + i * value);
            assert_eq!((named, None), find(wanted), "{layout}: {wanted}");
        }
    }
}

/// `luac.cross` names the other "userdata", number 66, which the chip never finds: the constant is not its string.
#[test]
fn the_userdata_of_luac_cross_is_the_copy_that_it_names() {
    for layout in layouts()
        .into_iter()
        .filter(|l| l.dialect() == Dialect::Lua53)
    {
        let mut image = numbered(layout, 1);
        let texts = ["userdata", "userdata!", "userdata"];
        let constants = texts.map(|text| Constant::String(text.into()));
        image.modules[0].chunk.main.constants = constants.to_vec();
        let (ours, _) = write(&image).unwrap();
        // a typed number of 7 bits behind four: "=(luac.cross)", the module's name, its source and "userdata!" come first
        let at = |number: u8| [0xd0, number + 4];
        let places: Vec<usize> = (0..ours.len() - 1)
            .filter(|&i| ours[i..i + 2] == at(70))
            .collect();
        let mut theirs = ours.clone();
        theirs[places[0] + 1] = at(66)[1];
        assert_eq!(read(&theirs).unwrap().image, read(&ours).unwrap().image);
        let [ours, theirs] = [ours, theirs].map(|bytes| region(&bytes).unwrap().at(0));
        let differing: Vec<usize> = (0..ours.len()).filter(|&i| ours[i] != theirs[i]).collect();
        let word = differing[0] / 4 * 4;
        assert!(differing.iter().all(|i| i / 4 == word / 4), "{layout}");
        let text = |memory: &[u8]| {
            let to = u32::from_le_bytes(memory[word..word + 4].try_into().unwrap()) as usize;
            (to, memory[to + 16..to + 25].to_vec())
        };
        let ((ours, text_of_ours), (theirs, text_of_theirs)) = (text(&ours), text(&theirs));
        assert_eq!(text_of_ours, b"userdata\0");
        assert_eq!(text_of_theirs, b"userdata\0");
        assert!(theirs < ours, "{layout}");
    }
}

/// The chip's memory has the reported size, begins with the signature, and no address lies outside of it.
#[test]
fn a_region_is_what_is_told_of_it() {
    for layout in layouts() {
        for seed in 0..25 {
            let image = made_up(layout, seed, 1 + seed % 5);
            let (bytes, sizes) = write(&image).unwrap();
            let region = region(&bytes).unwrap();
            let words: Vec<Word> = region.words().collect();
            assert_eq!(4 * words.len(), sizes.total, "{layout}, {seed}");
            assert_eq!(words[1], Word::Number(sizes.total as u32));
            let leads_out = |word: &Word| match *word {
                Word::Address(to) => to as usize >= sizes.total || !to.is_multiple_of(4),
                Word::Number(_) => false,
            };
            assert!(!words.iter().any(leads_out), "{layout}, {seed}");
            assert_eq!(region.at(0x4021_0000).len(), sizes.total);
        }
    }
    let image = Image {
        place: Place::At(0x4028_0000),
        ..made_up(lua51(), 3, 4)
    };
    assert!(region(&write(&image).unwrap().0).is_err());
}

/// Three instructions on line 1, in one run, in two, and on other lines.
#[test]
fn line_info_may_be_packed_already_and_is_compared() {
    for layout in layouts() {
        let mut image = numbered(layout, 2);
        image.modules[1].chunk.main.lines = vec![1; 3];
        let with = |packed: &[u8]| {
            let packed = [(FunctionPath(vec![1]), packed.to_vec())];
            write_with_line_info(&image, &packed.into()).unwrap()
        };
        let (shortest, sizes) = write(&image).unwrap();
        assert_eq!(with(&[3, 0]), (shortest.clone(), sizes));
        let (split, sizes) = with(&[1, 0xc0, 1, 0xc0, 1, 0]);
        assert_ne!(split, shortest, "{layout}");
        prove(&split, &image).unwrap();
        assert_eq!(read(&split).unwrap().sizes, sizes, "{layout}");
        let memory = region(&split).unwrap();
        assert_eq!(4 * memory.words().count(), sizes.total, "{layout}");
        let bytes = memory.at(0x4021_0000);
        let there = |lines: &[u8]| bytes.windows(lines.len()).any(|w| w == lines);
        assert!(there(&[1, 0xc0, 1, 0xc0, 1, 0]), "{layout}");
        let (wrong, _) = with(&[2, 1, 0]);
        let said = prove(&wrong, &image).unwrap_err().to_string();
        assert_eq!(
            said,
            "module m1: function main: line of instruction 3 is 1 in one and 2 in the other"
        );
        // nothing is made of line info for a function without lines
        let none = [(FunctionPath(vec![0]), vec![3, 0])].into();
        assert_eq!(
            write_with_line_info(&image, &none).unwrap(),
            write(&image).unwrap()
        );
    }
}

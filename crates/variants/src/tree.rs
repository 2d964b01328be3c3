//! Which variant a firmware tree is set to: its configuration file is read for the macros that
//! variants' conditions ask about, and the conditions decide.

use std::collections::{BTreeMap, BTreeSet};

use crate::kconfig::{self, Config};
use crate::preprocess::{Header, Unclear};
use crate::{Macros, Variant, Variants};

/// Why a tree's variant is not clear.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// A line of `user_config.h` that may or may not count.
    #[error("line {line}: {what}, so the variant is unclear; choose a variant")]
    Unclear {
        /// The line.
        line: usize,
        /// What stands there.
        what: String,
    },
    /// An `sdkconfig` without a Lua version, or with two.
    #[error(
        "neither CONFIG_LUA_VERSION_51 nor CONFIG_LUA_VERSION_53 alone is set; run the firmware's configuration first"
    )]
    NoVersion,
    /// The version asked for is not the tree's.
    #[error("the tree is configured for Lua {tree}, not {asked}")]
    OtherVersion {
        /// 51 or 53.
        tree: u32,
        /// 51 or 53.
        asked: u32,
    },
    /// No condition holds.
    #[error("no variant fits: {macros} are set")]
    NoVariant {
        /// The macros that are.
        macros: String,
    },
    /// More than one does.
    #[error("{first} and {second} both fit")]
    Two {
        /// A variant.
        first: String,
        /// Another.
        second: String,
    },
}

impl TreeError {
    /// The line that it is about, from 1 on.
    pub fn line(&self) -> Option<usize> {
        match self {
            TreeError::Unclear { line, .. } => Some(*line),
            _ => None,
        }
    }
}

/// The macro of the region for LFS of an ESP8266.
const FLASH_STORE: &str = "LUA_FLASH_STORE";

/// Bytes of the region for LFS that a tree sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lfs {
    /// These.
    Bytes(u32),
    /// None: the table of partitions that the chip has is to tell.
    Unset,
    /// What the tree says is no size, and why; with the line, if one says it.
    Wrong(Option<usize>, String),
}

/// The macros of an ESP8266 tree: `text` is `app/include/user_config.h`, `lua` 51 or 53 is what
/// the firmware's make is given.
pub fn esp8266(text: &str, lua: u32, variants: &Variants) -> Result<Macros, TreeError> {
    let asked = asked(variants);
    let (name, number) = version(lua);
    let esp = "LUA_USE_ESP";
    let header = Header::read(text, &asked, &[(esp, 1), (&name, number)])?;
    let mut macros = Macros::from([(esp.into(), 1), (name, number)]);
    for name in asked {
        match header.flag(name)? {
            Some(value) => macros.insert(name.into(), value),
            None => macros.remove(name),
        };
    }
    Ok(macros)
}

/// The macros of an ESP32 tree: `text` is `sdkconfig`; `lua`, if given, has to be its version.
pub fn esp32(text: &str, lua: Option<u32>, variants: &Variants) -> Result<Macros, TreeError> {
    let asked = asked(variants);
    let config = Config::read(text);
    let has = |v: u32| config.flag(&format!("LUA_VERSION_{v}")) == Some(true);
    let tree = match (has(51), has(53)) {
        (true, false) => 51,
        (false, true) => 53,
        _ => return Err(TreeError::NoVersion),
    };
    if let Some(asked) = lua.filter(|asked| *asked != tree) {
        return Err(TreeError::OtherVersion { tree, asked });
    }
    let mut macros = Macros::from([("ESP_PLATFORM".into(), 1), version(tree)]);
    let flags = config.flags().filter(|name| asked.contains(name.as_str()));
    macros.extend(flags.map(|name| (name, 1)));
    Ok(macros)
}

/// Which of these macros a header of an ESP8266 tree defines, as far as it is known. `lua` is as for [`esp8266`].
pub fn defined(
    text: &str,
    names: &BTreeSet<&str>,
    lua: u32,
) -> Result<BTreeMap<String, bool>, TreeError> {
    let mut asked = names.clone();
    asked.insert("LUA_CROSS_COMPILER");
    let (version, number) = version(lua);
    let header = Header::read(text, &asked, &[("LUA_USE_ESP", 1), (&version, number)])?;
    let known = names.iter();
    let known = known.filter_map(|name| Some(((*name).to_owned(), header.is_defined(name)?)));
    Ok(known.collect())
}

/// The booleans that an `sdkconfig` sets, with `CONFIG_`.
pub fn flags(text: &str) -> BTreeSet<String> {
    Config::read(text).flags().collect()
}

/// The chip that an `sdkconfig` is for, as ESP-IDF names it (`esp32c3`); early ones don't say it.
pub fn idf_target(text: &str) -> Option<String> {
    Config::read(text).string("IDF_TARGET")
}

/// The region for LFS that an ESP8266 tree sets. `text` is `app/include/user_config.h`, which reads as [`esp8266`] wants it.
pub fn lfs_of_esp8266(text: &str) -> Lfs {
    let size = Header::read(text, &BTreeSet::from([FLASH_STORE]), &[]);
    match size.and_then(|header| header.size(FLASH_STORE)) {
        Ok(None) => Lfs::Unset,
        Ok(Some((line, 0))) => {
            let what = format!(
                "{FLASH_STORE} is 0: there is no region for LFS, unless the partition table has one"
            );
            Lfs::Wrong(Some(line), what)
        }
        Ok(Some((_, bytes))) => Lfs::Bytes(bytes),
        Err(Unclear { line, what }) => Lfs::Wrong(Some(line), what),
    }
}

/// The same of an ESP32 tree's `sdkconfig`, as far as it says it itself: the image is a part of the firmware then. Else the
/// partition for it has the size: [`partitions`] is the file of its table.
pub fn lfs_of_esp32(text: &str) -> Lfs {
    // trees of 2021 and before had another name for it
    const SIZES: [&str; 2] = ["NODEMCU_EMBEDDED_LFS_SIZE", "LUA_EMBEDDED_FLASH_STORE"];
    let config = Config::read(text);
    let is_off = config.flag("NODEMCU_EMBED_LFS") == Some(false);
    let is_on = config.flag("NODEMCU_EMBED_LFS") == Some(true);
    let size = SIZES
        .iter()
        .find_map(|name| Some((name, config.hexadecimal(name)?)));
    match size.filter(|_| !is_off) {
        Some((name, 0)) if is_on => Lfs::Wrong(None, format!("CONFIG_{name} is 0")),
        None | Some((_, 0)) => Lfs::Unset,
        Some((name, bytes)) => match u32::try_from(bytes) {
            Ok(bytes) => Lfs::Bytes(bytes),
            Err(_) => Lfs::Wrong(None, format!("CONFIG_{name} is not a valid region size")),
        },
    }
}

/// The file with the table of partitions that an `sdkconfig` names; none where it takes one of ESP-IDF's own, which have none
/// for LFS.
pub fn partitions(text: &str) -> Option<String> {
    const USUAL: &str = "components/platform/partitions.csv";
    let config = Config::read(text);
    let own = ["PARTITION_TABLE_SINGLE_APP", "PARTITION_TABLE_TWO_OTA"];
    let is_own = own.iter().any(|name| config.flag(name) == Some(true));
    let named = config
        .string("PARTITION_TABLE_CUSTOM_FILENAME")
        .unwrap_or(USUAL.into());
    (!is_own).then_some(named)
}

/// The region for LFS of a table of partitions, such as `partitions.csv`.
pub fn lfs_of_partitions(text: &str) -> Lfs {
    match kconfig::lfs_partition(text) {
        Ok(Some((_, bytes))) => Lfs::Bytes(bytes),
        Ok(None) => Lfs::Wrong(
            None,
            "no partition for LFS (type 0xC2, subtype 0x01)".into(),
        ),
        Err((line, what)) => Lfs::Wrong(Some(line), what),
    }
}

impl From<Unclear> for TreeError {
    fn from(Unclear { line, what }: Unclear) -> TreeError {
        TreeError::Unclear { line, what }
    }
}

/// The one NodeMCU variant whose condition holds.
pub fn choose<'a>(variants: &'a Variants, macros: &Macros) -> Result<&'a Variant, TreeError> {
    let mut fits = variants
        .iter()
        .filter(|v| v.is_nodemcu() && v.select.values().any(|c| c.holds(macros)));
    match (fits.next(), fits.next()) {
        (Some(variant), None) => Ok(variant),
        (Some(first), Some(second)) => Err(TreeError::Two {
            first: first.name.clone(),
            second: second.name.clone(),
        }),
        (None, _) => Err(TreeError::NoVariant {
            macros: shown(macros),
        }),
    }
}

/// Macros as C would define them, for a message.
pub fn shown(macros: &Macros) -> String {
    let each: Vec<String> = macros
        .iter()
        .map(|(name, value)| match value {
            1 => name.clone(),
            value => format!("{name}={value}"),
        })
        .collect();
    each.join(", ")
}

fn version(lua: u32) -> (String, i64) {
    let number = if lua == 51 { 501 } else { 503 };
    ("LUA_VERSION_NUM".into(), number)
}

/// Every macro that some variant's condition names.
fn asked(variants: &Variants) -> BTreeSet<&str> {
    let conditions = variants.iter().flat_map(|v| v.select.values());
    conditions.flat_map(|c| c.macros()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(text: &str, lua: u32) -> Result<String, TreeError> {
        let variants = Variants::built_in();
        let macros = esp8266(text, lua, &variants)?;
        choose(&variants, &macros).map(|v| v.name.clone())
    }

    #[test]
    fn user_config_is_read_as_c() {
        let guard = "#ifndef X_H\n#define X_H\n";
        for (body, lua, name) in [
            ("//#define LUA_NUMBER_INTEGRAL\n", 51, "lua51-float"),
            ("# define LUA_NUMBER_INTEGRAL // yes\n", 51, "lua51-int"),
            ("/*\n#define LUA_NUMBER_INTEGRAL\n*/", 51, "lua51-float"),
            (
                "#define S \"/*\"\n#define LUA_NUMBER_INTEGRAL\n",
                51,
                "lua51-int",
            ),
            (
                "#define \\\n LUA_NUMBER_64BITS\n",
                53,
                "lua53-int64-float64",
            ),
            (
                "#define LUA_NUMBER_64BITS\n#undef LUA_NUMBER_64BITS",
                53,
                "lua53-int32-float32",
            ),
            (
                "#ifdef FOO\n#define BAR\n#endif\n#define LUA_NUMBER_INTEGRAL",
                51,
                "lua51-int",
            ),
        ] {
            let text = format!("{guard}{body}\n#endif\n");
            assert_eq!(chosen(&text, lua).as_deref(), Ok(name), "{body}");
        }
    }

    #[test]
    fn an_unclear_tree_is_refused() {
        for (text, lua) in [
            (
                "#define A\n#ifdef B\n#define LUA_NUMBER_INTEGRAL\n#endif",
                51,
            ),
            ("#define LUA_NUMBER_INTEGRAL\n", 53),
            ("#define LUA_NUMBER_64BITS\n", 51),
            ("#include \"my_config.h\"\n", 51),
            ("#endif\n", 51),
        ] {
            assert!(chosen(text, lua).is_err(), "{text}");
        }
    }

    /// Each with the lines of NodeMCU's own file behind it.
    #[test]
    fn the_region_for_lfs_is_found() {
        let default = "#ifndef LUA_FLASH_STORE\n# define LUA_FLASH_STORE 0x0\n#endif\n";
        let of = |text: &str| lfs_of_esp8266(&format!("{text}\n{default}"));
        for text in [
            "",
            "//#define LUA_FLASH_STORE 0x10000",
            "// a comment \\\n#define LUA_FLASH_STORE 0x10000",
            "// a comment \\  \n#define LUA_FLASH_STORE 0x10000",
            "/*\n#define LUA_FLASH_STORE 0x10000 */",
            "#define LUA_FLASH_STORE 0x10000\n#undef LUA_FLASH_STORE",
            "#if 0\n#define LUA_FLASH_STORE 0x10000\n#endif",
        ] {
            assert_eq!(of(text), Lfs::Unset, "{text}");
        }
        for value in [
            "0x10000",
            "(65536)",
            "(64*1024)",
            "64 * 1024",
            "0x10000UL",
            "65536u",
            "0200000",
            "(1 << 16)",
            "0x20000 / 2 // half",
            "(0x8000 /* twice */ + 0x8000)",
            "\\\n 0x10000",
            "(0x10000 > 5 ? 0x10000 : 5)",
            "~0xfffeffff & 0xffffffff",
        ] {
            let text = format!("#define LUA_FLASH_STORE {value}");
            assert_eq!(of(&text), Lfs::Bytes(0x1_0000), "{text}");
        }
        for text in [
            "#define KB(n)\n#define SIZE (32 * 1024)\n#define LUA_FLASH_STORE (2 * SIZE)",
            "#define LUA_FLASH_STORE SIZE\n#define SIZE 0x10000",
            "\u{feff}#define LUA_FLASH_STORE 0x10000",
            "#define FOUR_MB\n#ifdef FOUR_MB\n#define LUA_FLASH_STORE 0x10000\n#else\n#define LUA_FLASH_STORE 1\n#endif",
            "#if defined(LUA_FLASH_STORE)\n#elif 1\n#define LUA_FLASH_STORE 0x10000\n#endif",
            "#define LUA_FLASH_STORE 1\n#undef LUA_FLASH_STORE\n#define LUA_FLASH_STORE 0x10000",
            "/* over\n   lines */ #define LUA_FLASH_STORE 0x10000",
            "#define /* a\n b */ LUA_FLASH_STORE 0x10000",
            "# /* blank */ define LUA_FLASH_STORE 0x10000\r",
        ] {
            assert_eq!(of(text), Lfs::Bytes(0x1_0000), "{text}");
        }
        for (text, says) in [
            ("#define LUA_FLASH_STORE", "is empty"),
            ("#define LUA_FLASH_STORE 0x0", "is 0"),
            ("#define LUA_FLASH_STORE 0", "is 0"),
            ("#define LUA_FLASH_STORE KB(64)", "KB"),
            (
                "#define KB(n) (n * 1024)\n#define LUA_FLASH_STORE KB(64)",
                "has parameters",
            ),
            ("#define LUA_FLASH_STORE SIZE_64K", "SIZE_64K"),
            ("#define LUA_FLASH_STORE ((uint32_t)0x10000)", "uint32_t"),
            ("#define LUA_FLASH_STORE LUA_FLASH_STORE", "LUA_FLASH_STORE"),
            ("#define LUA_FLASH_STORE -1", "32-bit"),
            ("#define LUA_FLASH_STORE 64k", "not an integer"),
            ("#define LUA_FLASH_STORE 1/0", "division by zero"),
            ("#define LUA_FLASH_STORE(x) 0x10000", "is empty"),
            (
                "#ifdef FOO\n#define LUA_FLASH_STORE 0x10000\n#endif",
                "condition of line 1",
            ),
            ("#include \"mine.h\"", "is included"),
            ("#include <mine.h>", "is included"),
        ] {
            match of(text) {
                Lfs::Wrong(Some(line), what) => {
                    assert!(what.contains(says), "{text}: {what}");
                    assert!(line <= 2);
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    /// What a compiler's preprocessor makes of the same lines.
    #[test]
    fn a_c_compiler_says_the_same() {
        use std::process::Command;
        let folder = std::env::temp_dir().join(format!("fastlua-cpp-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("user_config.h");
        let lines = [
            "#define LUA_NUMBER_INTEGRAL\n",
            "// #define LUA_NUMBER_INTEGRAL\n",
            "// a comment \\\n",
            "/* a comment\n",
            "*/\n",
            "#undef LUA_NUMBER_INTEGRAL\n",
            "#ifdef LUA_NUMBER_INTEGRAL\n",
            "#ifndef LUA_NUMBER_INTEGRAL\n",
            "#if defined LUA_NUMBER_INTEGRAL && !(3 < 2)\n",
            "#if 1 - 1\n",
            "#else\n",
            "#elif 2 > 1u\n",
            "#endif\n",
            "#define LUA_FLASH_STORE 0x1000 * 2\n",
            "#define LUA_FLASH_STORE \\\n 16384\n",
            "#undef LUA_FLASH_STORE\n",
            "int i; /* and */\n",
            "const char *s = \"/*\";\n",
            "char c = '\"'; // \"\n",
        ];
        let mut random = random_numbers(5);
        let (mut set, mut unset, mut refused) = (0, 0, 0);
        for _ in 0..200 {
            let count = 1 + random() % 12;
            let body: String = (0..count).map(|_| lines[random() % lines.len()]).collect();
            let ends = body
                .matches("#if")
                .count()
                .saturating_sub(body.matches("#endif").count());
            let body = body + &"#endif\n".repeat(ends);
            std::fs::write(&file, &body).unwrap();
            let compiler = std::env::var("CC").unwrap_or("cc".into());
            let mut command = Command::new(compiler);
            let output = command
                .args(["-E", "-dM", "-w"])
                .arg(&file)
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let is_set = text.contains("#define LUA_NUMBER_INTEGRAL");
            let asked = BTreeSet::from(["LUA_NUMBER_INTEGRAL", FLASH_STORE]);
            match Header::read(&body, &asked, &[]) {
                Ok(header) => {
                    assert_eq!(
                        header.is_defined("LUA_NUMBER_INTEGRAL"),
                        Some(is_set),
                        "{body}"
                    );
                    let size = match text
                        .lines()
                        .find_map(|l| l.strip_prefix("#define LUA_FLASH_STORE "))
                    {
                        Some("0x1000 * 2") => Some(0x2000),
                        Some(other) => Some(other.parse().unwrap()),
                        None => None,
                    };
                    let found = header.size(FLASH_STORE).unwrap();
                    assert_eq!(found.map(|(_, size)| size), size, "{body}");
                    if is_set { set += 1 } else { unset += 1 }
                }
                Err(error) => {
                    assert!(!output.status.success(), "{body}{error:?}");
                    refused += 1;
                }
            }
        }
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(
            set > 10 && unset > 20 && refused > 10,
            "{set} {unset} {refused}"
        );
    }

    /// Numbers that look random, the same each time.
    fn random_numbers(seed: u64) -> impl FnMut() -> usize {
        let mut state = seed;
        move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as usize
        }
    }

    #[test]
    fn the_region_of_an_esp32_is_that_of_its_configuration() {
        let of = |text: &str| lfs_of_esp32(text);
        assert_eq!(
            of("CONFIG_NODEMCU_EMBEDDED_LFS_SIZE=0x20000\n"),
            Lfs::Bytes(0x2_0000)
        );
        assert_eq!(
            of("CONFIG_NODEMCU_EMBEDDED_LFS_SIZE=20000\n"),
            Lfs::Bytes(0x2_0000)
        );
        assert_eq!(
            of("CONFIG_LUA_EMBEDDED_FLASH_STORE=0x20000\n"),
            Lfs::Bytes(0x2_0000)
        );
        let twice =
            "CONFIG_NODEMCU_EMBEDDED_LFS_SIZE=1000\nCONFIG_NODEMCU_EMBEDDED_LFS_SIZE=0x3000\n";
        assert_eq!(of(twice), Lfs::Bytes(0x3000));
        let off = "# CONFIG_NODEMCU_EMBED_LFS is not set\n";
        assert_eq!(of(&(twice.to_owned() + off)), Lfs::Unset);
        assert_eq!(of(""), Lfs::Unset);
        assert_eq!(
            of("  CONFIG_NODEMCU_EMBEDDED_LFS_SIZE=0x20000\n"),
            Lfs::Unset
        );
        let zero = "CONFIG_NODEMCU_EMBED_LFS=y\nCONFIG_NODEMCU_EMBEDDED_LFS_SIZE=0x0\n";
        assert!(matches!(of(zero), Lfs::Wrong(..)));

        let custom = "CONFIG_PARTITION_TABLE_CUSTOM=y\nCONFIG_PARTITION_TABLE_CUSTOM_FILENAME=\"mine.csv\"\n";
        assert_eq!(partitions(custom).as_deref(), Some("mine.csv"));
        assert_eq!(partitions("CONFIG_PARTITION_TABLE_SINGLE_APP=y\n"), None);
        let table = "# Name, Type\nnvs, data, nvs, 0x9000, 0x6000\nlfs, 0xC2, 0x01, , 0x10000\n";
        assert_eq!(lfs_of_partitions(table), Lfs::Bytes(0x1_0000));
        assert_eq!(lfs_of_partitions("lfs,194,1,,64K,\n"), Lfs::Bytes(0x1_0000));
        assert_eq!(
            lfs_of_partitions("lfs,0xc2,1,0x200000,1M"),
            Lfs::Bytes(0x10_0000)
        );
        assert!(matches!(
            lfs_of_partitions("#lfs,0xc2,1,,64K"),
            Lfs::Wrong(None, _)
        ));
        assert!(matches!(
            lfs_of_partitions("\nlfs,0xc2,1,,\n"),
            Lfs::Wrong(Some(2), _)
        ));
    }

    /// As kconfiglib and esp-idf-kconfig read it.
    #[test]
    fn the_last_line_of_a_symbol_counts() {
        let flag = |text: &str| Config::read(text).flag("X");
        for (text, expected) in [
            ("CONFIG_X=y\n# CONFIG_X is not set\n", Some(false)),
            ("# CONFIG_X is not set\nCONFIG_X=y\n", Some(true)),
            ("CONFIG_X=y\nCONFIG_X=n\n", Some(false)),
            (" CONFIG_X=y\n", None),
            ("CONFIG_X=yes\n", Some(true)),
            ("CONFIG_X=y # why\n", Some(true)),
            ("CONFIG_X=y\r\n", Some(true)),
            ("#CONFIG_X=y\n", None),
            ("#CONFIG_X is not set\n", None),
            ("CONFIG_X =y\n", None),
            ("CONFIG_X=Y\n", None),
            ("CONFIG_X=y\nCONFIG_X=1\n", Some(true)),
            ("CONFIG_XX=y\n", None),
        ] {
            assert_eq!(flag(text), expected, "{text}");
        }
        assert_eq!(
            idf_target("CONFIG_IDF_TARGET=\"esp32\"\nCONFIG_IDF_TARGET=\"esp32c3\"\n").as_deref(),
            Some("esp32c3")
        );
    }

    #[test]
    fn sdkconfig_says_all() {
        let variants = Variants::built_in();
        let find = |text: &str, lua| {
            let macros = esp32(text, lua, &variants)?;
            choose(&variants, &macros).map(|v| v.name.clone())
        };
        let text = "# CONFIG_LUA_VERSION_51 is not set\nCONFIG_LUA_VERSION_53=y\nCONFIG_LUA_NUMBER_INT64=y\n";
        assert_eq!(find(text, None).as_deref(), Ok("lua53-int64-float32"));
        assert_eq!(
            find(text, Some(51)),
            Err(TreeError::OtherVersion {
                tree: 53,
                asked: 51
            })
        );
        assert_eq!(find("", None), Err(TreeError::NoVersion));
        let text = "CONFIG_LUA_VERSION_51=y\nCONFIG_LUA_NUMBER_INTEGRAL=y\n";
        assert_eq!(find(text, None).as_deref(), Ok("lua51-int"));
    }
}

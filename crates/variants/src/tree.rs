//! Which variant a firmware tree is set to: its configuration file is read for the macros that
//! variants' conditions ask about, and the conditions decide.

use std::collections::BTreeSet;

use crate::{Macros, Variant, Variants};

/// Why a tree's variant is not clear.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// A line of `user_config.h` that may or may not count.
    #[error("line {line}: {what}, so the variant is not clear; say which it is with --variant")]
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
    #[error("the tree is set to Lua {tree}, not {asked}")]
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

/// The macros of an ESP8266 tree: `text` is `app/include/user_config.h`, `lua` 51 or 53 is what
/// the firmware's make is given.
pub fn esp8266(text: &str, lua: u32, variants: &Variants) -> Result<Macros, TreeError> {
    let asked = asked(variants);
    let mut macros = Macros::from([("LUA_USE_ESP".into(), 1), version(lua)]);
    let mut open = Vec::new(); // line of each `#if` that is not the include guard
    let mut guard = None; // its macro, once seen, and whether it is still open
    let mut first = true;
    for (number, line) in directives(text) {
        let mut words = line.split_whitespace();
        let (word, name) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        match word {
            "ifndef" if first => guard = Some(number),
            "if" | "ifdef" | "ifndef" => open.push(number),
            "endif" => match open.pop() {
                Some(_) => {}
                None if guard.is_some() => guard = None,
                None => {
                    return Err(TreeError::Unclear {
                        line: number,
                        what: "an #endif without #if".into(),
                    });
                }
            },
            "define" | "undef" if asked.contains(name) => {
                if let Some(since) = open.last() {
                    return Err(TreeError::Unclear {
                        line: number,
                        what: format!("{name} depends on the condition of line {since}"),
                    });
                }
                let value = words.next().and_then(|w| w.parse().ok()).unwrap_or(1);
                match word {
                    "define" => macros.insert(name.into(), value),
                    _ => macros.remove(name),
                };
            }
            "include" if name.starts_with('"') => {
                return Err(TreeError::Unclear {
                    line: number,
                    what: format!("{name} is included and may set the number model"),
                });
            }
            _ => {}
        }
        first = false;
    }
    Ok(macros)
}

/// The macros of an ESP32 tree: `text` is `sdkconfig`; `lua`, if given, has to be its version.
pub fn esp32(text: &str, lua: Option<u32>, variants: &Variants) -> Result<Macros, TreeError> {
    let asked = asked(variants);
    let set: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_suffix("=y"))
        .collect();
    let has = |v| set.contains(format!("CONFIG_LUA_VERSION_{v}").as_str());
    let tree = match (has(51), has(53)) {
        (true, false) => 51,
        (false, true) => 53,
        _ => return Err(TreeError::NoVersion),
    };
    if let Some(asked) = lua.filter(|asked| *asked != tree) {
        return Err(TreeError::OtherVersion { tree, asked });
    }
    let mut macros = Macros::from([("ESP_PLATFORM".into(), 1), version(tree)]);
    let flags = set.into_iter().filter(|name| asked.contains(*name));
    macros.extend(flags.map(|name| (name.into(), 1)));
    Ok(macros)
}

/// The chip that an `sdkconfig` is for, as ESP-IDF names it (`esp32c3`); early ones don't say it.
pub fn idf_target(text: &str) -> Option<&str> {
    text.lines().find_map(|line| {
        line.trim()
            .strip_prefix("CONFIG_IDF_TARGET=\"")?
            .strip_suffix('"')
    })
}

/// Bytes of the region for LFS that an ESP8266 tree sets; none where it sets none, so that the table of partitions
/// tells. `text` is `app/include/user_config.h`.
pub fn lfs_of_esp8266(text: &str) -> Option<u32> {
    let size = |line: &str| {
        let mut words = line.split_whitespace();
        let defined = words.next() == Some("define") && words.next() == Some("LUA_FLASH_STORE");
        words.next().filter(|_| defined).and_then(number)
    };
    let mut sizes = directives(text).into_iter();
    // what is defined behind it is the default of an #ifndef
    let first = sizes.find_map(|(_, line)| size(&line));
    first.filter(|size| *size > 0)
}

/// The same of an ESP32 tree's `sdkconfig`.
pub fn lfs_of_esp32(text: &str) -> Option<u32> {
    let size = |line: &str| {
        number(
            line.trim()
                .strip_prefix("CONFIG_LUA_EMBEDDED_FLASH_STORE=")?,
        )
    };
    text.lines().find_map(size).filter(|size| *size > 0)
}

/// A number as C and `sdkconfig` have it.
fn number(text: &str) -> Option<u32> {
    let text = text.trim_matches(['(', ')']);
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
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

/// Line number and text, without `#`, of each preprocessor line; comments are blanked first.
fn directives(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut lines = without_comments(text).into_iter().enumerate();
    while let Some((number, mut line)) = lines.next() {
        while line.trim_end().ends_with('\\') {
            line.truncate(line.trim_end().len() - 1);
            match lines.next() {
                Some((_, next)) => line += &next,
                None => break,
            }
        }
        if let Some(directive) = line.trim_start().strip_prefix('#') {
            found.push((number + 1, directive.trim_start().to_owned()));
        }
    }
    found
}

/// The lines of a C text with comments replaced by a space, string literals kept.
fn without_comments(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut block = false;
    for line in text.lines() {
        let mut kept = String::new();
        let mut quote = None;
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            let next = chars.peek().copied();
            match (block, quote, c) {
                (true, _, '*') if next == Some('/') => {
                    chars.next();
                    block = false;
                    kept.push(' ');
                }
                (true, _, _) => {}
                (false, None, '/') if next == Some('/') => break,
                (false, None, '/') if next == Some('*') => {
                    chars.next();
                    block = true;
                }
                (false, None, '"' | '\'') => {
                    quote = Some(c);
                    kept.push(c);
                }
                (false, Some(q), _) => {
                    kept.push(c);
                    if c == '\\' {
                        kept.extend(chars.next());
                    } else if c == q {
                        quote = None;
                    }
                }
                (false, None, _) => kept.push(c),
            }
        }
        lines.push(kept);
    }
    lines
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

    #[test]
    fn the_region_for_lfs_is_found() {
        let default = "#ifndef LUA_FLASH_STORE\n# define LUA_FLASH_STORE 0x0\n#endif\n";
        let of = |text: &str| lfs_of_esp8266(&format!("{text}\n{default}"));
        assert_eq!(of("//#define LUA_FLASH_STORE 0x10000"), None);
        assert_eq!(of("#define LUA_FLASH_STORE 0x10000"), Some(0x1_0000));
        assert_eq!(of("#define LUA_FLASH_STORE (65536)"), Some(0x1_0000));
        let text = "CONFIG_LUA_EMBEDDED_FLASH_STORE=0x20000\n";
        assert_eq!(lfs_of_esp32(text), Some(0x2_0000));
        assert_eq!(lfs_of_esp32("CONFIG_LUA_EMBEDDED_FLASH_STORE=0\n"), None);
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

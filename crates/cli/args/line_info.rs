//! `--line-info`

/// How line numbers are packed.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
pub enum LineInfo {
    Shortest,
    Reference,
}

impl From<LineInfo> for fastlua::LineInfo {
    fn from(how: LineInfo) -> fastlua::LineInfo {
        match how {
            LineInfo::Shortest => fastlua::LineInfo::Shortest,
            LineInfo::Reference => fastlua::LineInfo::Reference,
        }
    }
}

//! Round trips of the reference compilers' chunks.

mod common;

use common::golden;
use fastlua_bytecode::{Chunk, Format, Layout, ReadErrorKind, candidates, read, read_any, write};

#[test]
fn all_chunks_are_listed_and_the_small_ones_stored() {
    let golden = golden();
    assert_eq!(golden.len(), 360);
    for chunk in &golden {
        assert_eq!(
            chunk.bytes.is_some(),
            chunk.length <= 8192,
            "{}",
            chunk.name
        );
    }
}

#[test]
fn golden_chunks_come_back_byte_for_byte() {
    for chunk in golden() {
        let Some(bytes) = chunk.bytes else { continue };
        let read =
            read(&bytes, &chunk.layout).unwrap_or_else(|error| panic!("{}: {error}", chunk.name));
        assert!(write(&read).unwrap() == bytes, "{}", chunk.name);
    }
}

/// The model is the same in all formats of its dialect.
#[test]
fn golden_chunks_pass_through_the_stock_formats() {
    for chunk in golden() {
        let Some(bytes) = chunk.bytes else { continue };
        let whole = read(&bytes, &chunk.layout).unwrap();
        let format = match chunk.layout.format {
            Format::NodeMcu51 => Format::Puc51,
            _ => Format::Puc53,
        };
        for size_t in [4, 8] {
            let layout = Layout {
                format,
                size_t,
                ..chunk.layout
            };
            let stock = Chunk {
                layout,
                main: whole.main.clone(),
            };
            let back = read(&write(&stock).unwrap(), &layout).unwrap();
            assert!(back == stock, "{} as {layout}", chunk.name);
        }
    }
}

#[test]
fn the_header_tells_the_layout() {
    for chunk in golden() {
        let Some(bytes) = chunk.bytes else { continue };
        let layouts = candidates(&bytes);
        assert_eq!(layouts[0], chunk.layout, "{}", chunk.name);
        match chunk.layout.format {
            Format::NodeMcu51 => {
                assert_eq!(
                    layouts[1..],
                    [Layout {
                        format: Format::Puc51,
                        ..chunk.layout
                    }]
                );
            }
            _ => assert_eq!(layouts.len(), 1),
        }
        assert_eq!(
            read_any(&bytes).unwrap().layout,
            chunk.layout,
            "{}",
            chunk.name
        );
    }
}

#[test]
fn every_other_layout_is_refused_by_name() {
    for chunk in golden() {
        let Some(bytes) = chunk.bytes else { continue };
        let found = candidates(&bytes);
        for expected in Layout::all().filter(|layout| !found.contains(layout)) {
            let error = read(&bytes, &expected).unwrap_err();
            let kind = ReadErrorKind::Header {
                expected,
                found: found.clone(),
            };
            assert_eq!(error.kind, kind, "{}", chunk.name);
        }
    }
}

#[test]
fn a_foreign_header_names_what_fits() {
    let golden = golden();
    let hello = |variant: &str| {
        let name = format!("{variant} strip2 hello");
        golden.iter().find(|chunk| chunk.name == name).unwrap()
    };
    let float = hello("lua51-float");
    let error = read(float.bytes.as_ref().unwrap(), &hello("lua51-int").layout).unwrap_err();
    let expected = "offset 10: header of NodeMCU 5.1, 64-bit floats or stock 5.1, 64-bit floats, \
                    32-bit size_t instead of NodeMCU 5.1, 32-bit integers";
    assert_eq!(error.to_string(), expected);
    let wide = hello("lua53-int64-float64");
    let error = read(wide.bytes.as_ref().unwrap(), &float.layout).unwrap_err();
    let expected = "offset 4: header of NodeMCU 5.3, 64-bit integers, 64-bit floats \
                    instead of NodeMCU 5.1, 64-bit floats";
    assert_eq!(error.to_string(), expected);
    let error = read(b"print 'hello'", &float.layout).unwrap_err();
    assert_eq!(
        error.to_string(),
        "offset 0: unknown header, not that of NodeMCU 5.1, 64-bit floats"
    );
    assert_eq!(
        read_any(b"print 'hello'").unwrap_err().kind,
        ReadErrorKind::NoDump
    );
    assert_eq!(read_any(b"").unwrap_err().kind, ReadErrorKind::NoDump);
}

//! Made-up chunks of every layout: written, read, stripped, listed and changed.

use bstr::ByteSlice;
use fastlua_bytecode::{
    Format, Function, Layout, LineNote, Strip, read, write, write_as_reference,
};
use fastlua_testing::generate::chunk;
use fastlua_testing::mutate::mutate;
use fastlua_testing::random::Random;

#[test]
fn generated_chunks_come_back() {
    for layout in Layout::all() {
        for seed in 0..200 {
            let chunk = chunk(layout, seed);
            let bytes = write(&chunk).unwrap_or_else(|error| panic!("{seed} {layout}: {error}"));
            let back = read(&bytes, &layout);
            let back = back.unwrap_or_else(|error| panic!("{seed} {layout}: {error}"));
            assert!(back == chunk, "{seed} {layout}");
        }
    }
}

/// NodeMCU's 5.3 compiler announces names in a chunk that it has stripped itself.
#[test]
fn announced_names_may_be_none() {
    const MARK: &[u8] = b"a name of 13.";
    const MARK_WRITTEN: &[u8] = b"\x5ea name of 13.";
    const NONE: &[u8] = b"\x50";
    let mut announced = 0;
    for layout in Layout::all().filter(|layout| layout.format == Format::NodeMcu53) {
        for seed in 0..20 {
            let mut stripped = chunk(layout, seed);
            let mut marked = stripped.clone();
            for (chunk, name) in [(&mut stripped, None), (&mut marked, Some(MARK.into()))] {
                chunk.main.for_each_mut(&mut |function| {
                    let upvalues = function.upvalues.iter_mut();
                    upvalues.for_each(|upvalue| upvalue.name = name.clone());
                });
            }
            let bytes = write(&marked).unwrap().replace(MARK_WRITTEN, NONE);
            announced += usize::from(bytes != write(&stripped).unwrap());
            assert!(
                read(&bytes, &layout).unwrap() == stripped,
                "{seed} {layout}"
            );
        }
    }
    assert!(announced > 60, "{announced} chunks announce names");
}

/// However lines are changed while a function is put together, each instruction has one in the end.
#[test]
fn the_reference_packing_reads() {
    let packed = [Format::NodeMcu51, Format::NodeMcu53];
    for layout in Layout::all().filter(|layout| packed.contains(&layout.format)) {
        for seed in 0..20 {
            let mut chunk = chunk(layout, seed);
            chunk.main.functions.clear();
            chunk.main.lines = vec![0; chunk.main.code.len()];
            let mut random = Random::new(seed);
            let mut notes = Vec::new();
            for pc in 0..chunk.main.code.len() as u32 {
                for _ in 0..=random.below(3) {
                    let line = 1 + random.below(1000) as i32;
                    notes.push(LineNote { pc, line });
                }
            }
            let bytes = write_as_reference(&chunk, &[notes]).unwrap();
            let mut back = read(&bytes, &layout).unwrap();
            assert_eq!(back.main.lines.len(), chunk.main.code.len());
            back.main.lines.fill(0);
            assert!(back == chunk, "{seed} {layout}");
        }
    }
}

/// Their operands point anywhere, and some opcodes are none.
#[test]
fn generated_chunks_can_be_listed() {
    for layout in Layout::all() {
        for seed in 0..20 {
            let chunk = chunk(layout, seed);
            let instructions = chunk.main.code.len();
            let listing = chunk.listing().to_string();
            let heading = format!("({instructions} instruction");
            assert!(listing.contains(&heading), "{seed} {layout}");
        }
    }
}

#[test]
fn one_seed_gives_one_chunk() {
    let layout = Layout::all().last().unwrap();
    assert!(chunk(layout, 5) == chunk(layout, 5));
    assert!(chunk(layout, 5) != chunk(layout, 6));
}

#[test]
fn levels_add_up_and_touch_nothing_else() {
    for layout in Layout::all() {
        let whole = chunk(layout, 3);
        let stripped = Strip::ALL.map(|level| {
            let mut chunk = whole.clone();
            chunk.strip(level);
            chunk
        });
        let [keep, names, lines] = &stripped;
        assert_eq!(*keep, whole);
        assert_eq!(names.main.lines, whole.main.lines);
        assert!(names.main.locals.is_empty() && lines.main.lines.is_empty());
        assert_eq!(names.main.source, whole.main.source);
        let keeps_source = layout.format == Format::NodeMcu53;
        assert_eq!(lines.main.source == whole.main.source, keeps_source);
        for chunk in &stripped {
            assert_eq!(chunk.main.code, whole.main.code);
            assert_eq!(chunk.main.constants, whole.main.constants);
            assert_eq!(chunk.main.upvalues.len(), whole.main.upvalues.len());
            assert_eq!(chunk.main.functions.len(), whole.main.functions.len());
        }
    }
}

#[test]
fn a_source_is_set_for_all_functions() {
    let mut chunk = chunk(Layout::all().next().unwrap(), 3);
    chunk.main.functions.push(Function {
        source: Some("a".into()),
        ..Function::default()
    });
    chunk.set_source(Some("=x".into()));
    assert_eq!(chunk.main.source, Some("=x".into()));
    assert!(
        chunk
            .main
            .functions
            .iter()
            .all(|function| function.source.is_none())
    );
}

#[test]
fn one_seed_gives_one_mutant_and_most_differ() {
    for layout in Layout::all() {
        let mut different = 0;
        for seed in 0..200 {
            let old = chunk(layout, seed);
            let (mut one, mut other) = (old.clone(), old.clone());
            mutate(&mut one, &mut Random::new(seed));
            mutate(&mut other, &mut Random::new(seed));
            assert!(one == other);
            different += usize::from(one != old);
        }
        assert!(different > 100, "{different} for {layout}");
    }
}

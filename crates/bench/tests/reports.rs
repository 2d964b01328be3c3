//! What is made of figures: table, page, comparison, budgets.

use std::collections::BTreeMap;

use fastlua_bench::{
    Budgets, ChunkFigures, Column, Cost, Figures, LoadCost, Metric, On, Pools, RunCost, SCHEMA,
    VariantFigures, check, compare, page, summary, table,
};

fn cost(flash: i64, instructions: i64, heap: i64) -> Cost {
    Cost {
        flash,
        strings: 0,
        load: Some(LoadCost {
            instructions,
            heap_peak: heap,
            heap_kept: heap / 2,
            heap_debug: 0,
            string_table: 0,
            allocations: 7,
            narrow_reads: Some(0),
            stack: 100,
            table: instructions / 10,
        }),
        ratio: None,
        refused: None,
        run: None,
    }
}

fn chunk(name: &str, built: Column, costs: [Cost; 2]) -> ChunkFigures {
    let [squashed, bytecode] = costs;
    ChunkFigures {
        name: name.into(),
        module: name.split('-').next().unwrap().into(),
        built,
        forms: BTreeMap::from([(Column::Squashed, squashed), (Column::Bytecode2, bytecode)]),
    }
}

fn figures(chunks: Vec<ChunkFigures>) -> Figures {
    let (variant, core) = ("lua51-int".into(), "puc51-int-32bit".into());
    Figures {
        schema: SCHEMA.into(),
        on: On::Esp8266,
        compiler: Some("gcc 12".into()),
        variants: vec![VariantFigures::new(
            variant,
            core,
            chunks,
            &Pools::default(),
        )],
    }
}

fn two() -> Figures {
    let led = [cost(100, 5000, 900), cost(150, 800, 300)];
    let blink = [cost(200, 9000, 1900), cost(260, 1800, 700)];
    figures(vec![
        chunk("led", Column::Bytecode2, led),
        chunk("led-blink", Column::Squashed, blink),
    ])
}

#[test]
fn totals_are_of_each_form_and_of_what_is_built() {
    let variant = &two().variants[0];
    assert_eq!(variant.totals[&Column::Squashed].flash, 300);
    assert_eq!(
        variant.totals[&Column::Squashed].get(Metric::HeapPeak),
        Some(1900)
    );
    assert_eq!(
        variant.totals[&Column::Bytecode2].get(Metric::Load),
        Some(2600)
    );
    assert_eq!(variant.built.flash, 150 + 200);
    assert_eq!(variant.built.get(Metric::HeapKept), Some(150 + 950));
    let one = [cost(1, 1, 1), cost(1, 1, 1)];
    let mut chunks = variant.chunks.clone();
    chunks.push(chunk("x", Column::Bytecode2, one));
    chunks[2].forms.remove(&Column::Squashed);
    let figures = figures(chunks);
    assert!(!figures.variants[0].totals.contains_key(&Column::Squashed));
}

#[test]
fn json_reads_back_and_other_shapes_are_refused() {
    let figures = two();
    let text = figures.to_json().unwrap();
    assert_eq!(Figures::from_json(&text).unwrap(), figures);
    assert!(text.ends_with("}\n"));
    let line = r#"            "squashed": {"flash": 100, "load": {"instructions": 5000, "heap_peak": 900,"#;
    assert!(text.contains(line), "{text}");
    let newer = text.replace(SCHEMA, "fastlua-bench/0");
    let error = Figures::from_json(&newer).unwrap_err();
    assert!(error.contains("measure again"), "{error}");
    for text in ["", "[]", "{}", &text[..text.len() / 2]] {
        assert!(Figures::from_json(text).is_err());
    }
}

#[test]
fn the_table_marks_the_best_and_what_is_built() {
    let text = table(On::Esp8266, &two().variants[0]);
    let line = |form: &str| text.lines().find(|l| l.contains(form)).unwrap();
    let words: Vec<&str> = line("squashed").split_whitespace().collect();
    assert_eq!(
        words,
        ["squashed", "100*", "5000", "900", "450", "7", "0", "500"]
    );
    let words: Vec<&str> = line("> bytecode-2").split_whitespace().collect();
    assert_eq!(
        words,
        [
            ">",
            "bytecode-2",
            "150",
            "800*",
            "300*",
            "150*",
            "7",
            "0",
            "80*"
        ]
    );
    let heads: Vec<&str> = text.lines().filter(|line| line.contains("flash")).collect();
    assert!(heads[1].ends_with("new"), "{text}");
    assert!(text.contains("\nled\n"), "{text}");
    let mut large = two();
    for cost in large.variants[0]
        .chunks
        .iter_mut()
        .flat_map(|c| c.forms.values_mut())
    {
        cost.flash *= 1000;
        if let Some(load) = &mut cost.load {
            load.instructions *= 10_000;
            load.heap_peak *= 100;
            load.heap_kept *= 100;
            load.table *= 100;
        }
        cost.run = Some(RunCost {
            instructions: 123_456_789,
            heap_peak: 0,
            allocations: 0,
            error: None,
        });
    }
    for figures in [two(), large] {
        let text = table(On::Esp8266, &figures.variants[0]) + &summary(&figures);
        let wide = text.lines().find(|line| line.chars().count() > 80);
        assert_eq!(wide, None);
    }
    assert!(summary(&two()).contains("as built"));
}

#[test]
fn what_does_not_load_or_run_is_told() {
    let mut figures = two();
    let forms = &mut figures.variants[0].chunks[0].forms;
    let bytecode = forms.get_mut(&Column::Bytecode2).unwrap();
    bytecode.load = None;
    bytecode.refused = Some("not enough memory".into());
    forms.get_mut(&Column::Squashed).unwrap().run = Some(RunCost {
        instructions: 5,
        heap_peak: 6,
        allocations: 7,
        error: Some("no global gpio".into()),
    });
    let text = table(On::Esp8266, &figures.variants[0]);
    assert!(
        text.contains("led, bytecode-2: does not load: not enough memory"),
        "{text}"
    );
    assert!(
        text.contains("led: its run ended with an error: no global gpio"),
        "{text}"
    );
    assert!(text.contains("    run\n"), "{text}");
    assert!(page(&figures, "t").unwrap().contains("does not load"));
    let budgets = Budgets {
        all: "load=1M".parse().unwrap(),
        modules: BTreeMap::new(),
    };
    let found = check(&figures, &budgets);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].of.as_str(), found[0].value), ("led", None));
    let worse = compare(&two(), &figures, 50.0).unwrap();
    assert_eq!(worse.regressions().count(), 1);
}

#[test]
fn the_page_needs_nothing_from_elsewhere_and_escapes() {
    let mut figures = two();
    figures.variants[0].chunks[0].name = "<script>&\"".into();
    let text = page(&figures, "a < b").unwrap();
    for word in ["http:", "https:", "src=", "@import", "url(", "<link"] {
        assert!(!text.contains(word), "{word}");
    }
    assert!(text.contains("a &lt; b") && text.contains("&lt;script&gt;&amp;"));
    assert_eq!(text.matches("<script>").count(), 1);
    assert_eq!(text, page(&figures, "a < b").unwrap());
}

#[test]
fn long_charts_are_folded() {
    let one = || [cost(100, 5000, 900), cost(150, 800, 300)];
    let chunks = |n| (0..n).map(|i| chunk(&format!("c{i}"), Column::Bytecode2, one()));
    let text = |n| page(&figures(chunks(n).collect()), "t").unwrap();
    assert!(!text(12).contains("<details>"));
    assert_eq!(text(15).matches("3 chunks more").count(), 4);
    assert_eq!(text(0).matches("<section").count(), 1);
}

#[test]
fn budgets_are_of_the_form_that_is_built() {
    let budgets = |all: &str, led: &str| Budgets {
        all: all.parse().unwrap(),
        modules: BTreeMap::from([("led".into(), led.parse().unwrap())]),
    };
    let found = |all: &str, led: &str| -> Vec<String> {
        let found = check(&two(), &budgets(all, led));
        found.iter().map(ToString::to_string).collect()
    };
    assert!(found("flash=350,heap-peak=1900", "load=9000").is_empty());
    assert_eq!(
        found("flash=349", "flash=1k"),
        ["lua51-int: all modules: flash 350, the budget is 349"]
    );
    assert_eq!(
        found("heap-peak=1k,load=800", "flash=100"),
        [
            "lua51-int: led-blink: load 9000, the budget is 800",
            "lua51-int: led-blink: heap-peak 1900, the budget is 1024",
            "lua51-int: led: flash 350, the budget is 100",
        ]
    );
}

#[test]
fn what_is_built_but_not_measured_keeps_no_budget() {
    let mut figures = two();
    figures.variants[0].chunks[0].built = Column::Frozen;
    let budgets = Budgets {
        all: "flash=1M".parse().unwrap(),
        modules: BTreeMap::new(),
    };
    let found = check(&figures, &budgets);
    assert_eq!((found.len(), found[0].value), (1, None));
    assert!(table(On::Esp8266, &figures.variants[0]).contains("led, frozen: not measured"));
}

#[test]
fn a_comparison_finds_what_got_worse() {
    let (was, mut is) = (two(), two());
    assert!(compare(&was, &is, 0.0).unwrap().changes.is_empty());
    let forms = &mut is.variants[0].chunks[0].forms;
    forms.get_mut(&Column::Bytecode2).unwrap().flash = 153;
    forms.get_mut(&Column::Squashed).unwrap().flash = 1000;
    let found = compare(&was, &is, 2.0).unwrap();
    assert_eq!(found.changes.len(), 2);
    assert!(
        found.regressions().next().is_none(),
        "2 % are tolerated, the other is not built"
    );
    let found = compare(&was, &is, 1.9).unwrap();
    let worse: Vec<String> = found.regressions().map(ToString::to_string).collect();
    assert_eq!(
        worse,
        ["lua51-int: led, bytecode-2: flash 150 -> 153 (+2.0 %), a regression"]
    );
    // another form is built now: it is compared with the one of before
    let mut is = two();
    is.variants[0].chunks[1].built = Column::Bytecode2;
    let found = compare(&was, &is, 2.0).unwrap();
    let worse: Vec<&fastlua_bench::Change> = found.regressions().collect();
    assert_eq!(worse.len(), 1);
    assert_eq!(
        (worse[0].metric, worse[0].was, worse[0].is),
        (Metric::Flash, Some(200), Some(260))
    );
    is.variants[0].chunks.remove(0);
    is.variants[0].variant = "lua51-float".into();
    assert_eq!(compare(&was, &is, 2.0).unwrap().notes.len(), 2);
}

#[test]
fn figures_of_another_kind_or_compiler_are_told_apart() {
    let (was, mut is) = (two(), two());
    is.compiler = Some("gcc 13".into());
    let notes = compare(&was, &is, 2.0).unwrap().notes;
    assert_eq!(
        notes,
        ["the cross compiler is gcc 13, the baseline's was gcc 12"]
    );
    is.on = On::Host;
    let error = compare(&was, &is, 2.0).unwrap_err().to_string();
    assert!(
        error.contains("on esp8266") && error.contains("on host"),
        "{error}"
    );
    is.on = On::Esp32c3;
    let error = compare(&was, &is, 2.0).unwrap_err().to_string();
    assert!(
        error.contains("on esp8266") && error.contains("on esp32c3"),
        "{error}"
    );
    assert_eq!(On::Host.show(Metric::HeapKept, 415), "41.5 %");
    is.on = On::Esp32c3;
    let error = compare(&was, &is, 2.0).unwrap_err().to_string();
    assert!(
        error.contains("on esp8266") && error.contains("on esp32c3"),
        "{error}"
    );
    assert_eq!(On::Host.show(Metric::Flash, 415), "415");
    let budgets = |text: &str| Budgets {
        all: text.parse().unwrap(),
        modules: BTreeMap::new(),
    };
    assert!(budgets("flash=1").fit(On::Host).is_ok());
    assert!(budgets("flash=1,load=1").fit(On::Host).is_err());
    assert!(budgets("flash=1,load=1").fit(On::Esp8266).is_ok());
    assert!(budgets("narrow-reads=1").fit(On::Esp8266).is_ok());
    assert!(
        budgets("flash=1,load=1,heap-peak=1")
            .fit(On::Esp32c3)
            .is_ok()
    );
    assert!(budgets("narrow-reads=1").fit(On::Esp32c3).is_err());
    let mut some = budgets("flash=1,heap-peak=1,load=1");
    some.modules = BTreeMap::from([("led".into(), "load=1,narrow-reads=1".parse().unwrap())]);
    let mut of_chip = some.clone();
    let metrics = [Metric::Load, Metric::HeapPeak, Metric::NarrowReads];
    assert_eq!(some.leave_measured(On::Host), metrics);
    assert_eq!(some.all, "flash=1".parse().unwrap());
    assert!(some.fit(On::Host).is_ok());
    assert_eq!(of_chip.leave_measured(On::Esp32c3), [Metric::NarrowReads]);
    assert_eq!(of_chip.leave_measured(On::Esp32c3), []);
}

/// Figures of a chip that reads flash as it reads RAM have no narrow reads, anywhere.
#[test]
fn what_a_chip_does_not_have_is_left_out() {
    let mut rv32 = two();
    rv32.on = On::Esp32c3;
    let costs = rv32.variants[0].chunks.iter_mut();
    let costs = costs.flat_map(|chunk| chunk.forms.values_mut());
    costs.for_each(|cost| cost.load.as_mut().unwrap().narrow_reads = None);
    let VariantFigures {
        variant,
        core,
        chunks,
        ..
    } = rv32.variants.remove(0);
    rv32.variants.push(VariantFigures::new(
        variant,
        core,
        chunks,
        &Pools::default(),
    ));
    let json = rv32.to_json().unwrap();
    assert!(
        json.contains(r#""on": "esp32c3""#) && !json.contains("narrow"),
        "{json}"
    );
    assert_eq!(Figures::from_json(&json).unwrap(), rv32);
    let texts = [
        table(rv32.on, &rv32.variants[0]),
        summary(&rv32),
        page(&rv32, "t").unwrap(),
    ];
    for text in &texts {
        assert!(!text.contains("narrow"), "{text}");
    }
    assert!(texts[0].contains("an emulated ESP32-C3") && texts[2].contains("an emulated ESP32-C3"));
    // how much heap is free at its prompt is not known
    assert_eq!(texts[2].matches(">line: ").count(), 1);
    let of_lx106 = page(&two(), "t").unwrap();
    assert_eq!(of_lx106.matches(">line: ").count(), 3);
    assert!(of_lx106.contains("narrow reads"));
}

/// A string that frozen chunks share is in flash once, so that totals are less than sums.
#[test]
fn totals_have_shared_strings_once() {
    let frozen = |name| {
        let mut chunk = chunk(
            name,
            Column::Frozen,
            [cost(10, 100, 100), cost(20, 100, 100)],
        );
        let cost = Cost {
            strings: 300,
            ..cost(1000, 500, 40)
        };
        chunk.forms.insert(Column::Frozen, cost);
        chunk
    };
    let pools = Pools {
        of_all: BTreeMap::from([(Column::Frozen, 350)]),
        built: 350,
    };
    let chunks = vec![frozen("a"), frozen("b")];
    let variant = VariantFigures::new("v".into(), "c".into(), chunks, &pools);
    assert_eq!(variant.totals[&Column::Frozen].flash, 2 * 700 + 350);
    assert_eq!(variant.built.flash, 2 * 700 + 350);
    assert_eq!(variant.totals[&Column::Squashed].flash, 20);
}

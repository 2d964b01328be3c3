//! The action for GitHub: its steps, run as the runner runs them, against a stand-in for the hosting service.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::hosting::{Hosting, answer};
use support::job::{Job, Runner, comment};
use support::{put, root, run, succeed};

const FLOAT: (&str, &str) = ("OPTIONS", "--variant lua51-float");

#[test]
#[ignore = "needs git, bash and python3"]
fn the_action_compares_with_the_commit_before() {
    let job = Job::new();
    let text = "return 'another text than there was before, by some bytes'";
    put(&job.project, "lua/greet.lua", text);
    put(&job.project, "lua/more.lua", "return 1");
    job.good("build", &[FLOAT, ("BASE", &job.base)]);
    let table = fs::read_to_string(job.output("sizes")).unwrap();
    assert!(
        table.starts_with("<!-- fastlua sizes -->\n**fastlua**: 2 chunks, bundle `"),
        "{table}"
    );
    assert!(table.contains("| `greet` | 120 (-4) |"), "{table}");
    assert!(table.contains("| `more` | 76 (new) |"), "{table}");
    assert_eq!(job.read("summary"), table);
    assert!(job.project.join("out/fast.c").exists());
    let report = fs::read_to_string(job.output("report")).unwrap();
    assert!(report.contains(&job.output("bundle")), "{report}");
    // without a commit to compare with, with one that is gone, and with one that can't be built
    let broken = put(&job.project, "lua/greet.lua", "return return");
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@example.org"]);
        succeed(git.args(arguments).current_dir(&job.project))
    };
    git(&["commit", "-q", "-a", "-m", "two"]);
    let bad = git(&["rev-parse", "HEAD"]);
    fs::write(broken, text).unwrap();
    for base in ["", "0123456789012345678901234567890123456789", bad.trim()] {
        job.good("build", &[FLOAT, ("BASE", base)]);
        let table = fs::read_to_string(job.output("sizes")).unwrap();
        assert!(table.contains("| `greet` | 120 |"), "{base}: {table}");
    }
    let trees = git(&["worktree", "list"]);
    assert_eq!(trees.lines().count(), 1, "{trees}");
}

/// As a shell splits them; nothing is expanded or run.
#[test]
#[ignore = "needs git, bash and python3"]
fn options_are_split_as_a_shell_splits_them() {
    let job = Job::new();
    put(&job.project, "a b/it's.txt", "text");
    let data = |options: &str| {
        job.good("build", &[("OPTIONS", options)]);
        fs::read_to_string(job.project.join("out/fast_chunks.h")).unwrap()
    };
    for options in [
        "--variant 'lua51-float' --strip \"0\"",
        "--variant lua51\\-float\n --strip=0",
        "  --variant 'lua51'-\"float\"   --strip 0  ",
    ] {
        let header = data(options);
        assert!(
            header.contains("strip 0") && !header.contains("lua53"),
            "{options}"
        );
    }
    let firmware = "nodemcu tree/app/include/user_config.h";
    put(&job.project, firmware, "#define LUA_NUMBER_INTEGRAL\n");
    assert!(data("--firmware 'nodemcu tree'").contains("lua51-int"));
    for (options, says) in [
        (
            "--variant 'lua51-float",
            "can't be split into words: No closing quotation",
        ),
        ("--variant $(touch${IFS}ran)", "$(touch${IFS}ran)"),
        (
            "--variant `touch ran`",
            "can't be combined with other files",
        ),
        (
            "--variant lua51-float; touch ran",
            "can't be combined with other files",
        ),
    ] {
        let output = job.step("build", &[("OPTIONS", options)]);
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(!output.status.success(), "{options}");
        assert!(
            said.contains("::error") && said.contains(says),
            "{options}: {said}"
        );
    }
    assert!(!job.project.join("ran").exists());
    assert!(
        job.bad(2, "measure", &[("BENCH", "--on \"host")])
            .contains("`bench`")
    );
}

#[test]
#[ignore = "needs git, bash and python3"]
fn errors_and_warnings_are_annotations_at_their_lines() {
    let job = Job::new();
    put(&job.project, "lua/100%, odd.lua", "local x\nreturn return");
    put(&job.project, "lua/two.lua", "\n\n\nx = = 1");
    put(
        &job.project,
        "fast.toml",
        "[[module]]\npath = \"lua/two.lua\"\n[[module]]\npath = \"lua/100%*\"\nname = \"odd\"\n",
    );
    let said = job.bad(1, "build", &[FLOAT, ("ID", "odd\n<!-- `x` -->")]);
    let annotated = |said: &str, place: &str, message: &str| {
        // behind the line may stand a column
        let lines = said.lines().filter_map(|line| line.strip_prefix(place));
        let mut rest = lines.filter(|rest| rest.starts_with("::") || rest.starts_with(",col="));
        assert!(rest.any(|rest| rest.contains(message)), "{place}: {said}");
    };
    annotated(
        &said,
        "::error file=lua/two.lua,line=4",
        "::unexpected symbol",
    );
    let odd = "::error file=lua/100%25%2C odd.lua,line=2";
    annotated(&said, odd, "::unexpected");
    // the comment says so, and is the same as that with the sizes
    let failed = fs::read_to_string(job.output("sizes")).unwrap();
    let (mark, rest) = failed.split_once('\n').unwrap();
    assert!(
        rest.starts_with("**fastlua**, `odd <!-- 'x' -->` failed:\n\n```text\nerror: "),
        "{failed}"
    );
    assert!(job.read("summary").contains("two.lua:4"));
    put(
        &job.project,
        "fast.toml",
        "[[module]]\npath = \"lua/greet.lua\"\n",
    );
    let text = "local a = 2147483649\nreturn a";
    put(&job.project, "lua/greet.lua", text);
    let said = job.good(
        "build",
        &[
            ("OPTIONS", "--variant lua53-int32-float32"),
            ("ID", "odd\n<!-- `x` -->"),
        ],
    );
    annotated(&said, "::warning file=lua/greet.lua,line=1", "2147483649");
    let good = fs::read_to_string(job.output("sizes")).unwrap();
    assert!(good.starts_with(mark), "{good}");
    // a manifest that can't be read, and a command that is not there
    put(&job.project, "fast.toml", "\n[[module");
    let said = job.bad(1, "build", &[FLOAT]);
    assert!(
        said.contains("::error file=fast.toml,line=2,col="),
        "{said}"
    );
    let mut bash = Command::new("bash");
    bash.arg(job.path("pipelines/action.sh"))
        .current_dir(&job.project);
    let python = succeed(Command::new("sh").args(["-c", "dirname $(command -v python3)"]));
    bash.env("PATH", format!("{}:/usr/bin:/bin", python.trim()));
    let output = run(bash.env("MANIFEST", "fast.toml").env("OUTPUT", "out"));
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(127), "{output:?}");
    assert!(said.contains("::error::fastlua is not installed"), "{said}");
}

/// Output that a stranger's modules cause must not be a command for the runner.
#[test]
#[ignore = "needs git, bash and python3"]
fn what_modules_say_is_no_workflow_command() {
    let job = Job::new();
    put(
        &job.project,
        "fast.toml",
        "x = 1 \"\"\"\n::warning::by a stranger\n##[error]by a stranger\n\"\"\"",
    );
    let said = job.bad(1, "build", &[FLOAT]);
    let mut token = None;
    for line in said.lines() {
        if let Some(new) = line.strip_prefix("::stop-commands::") {
            assert!(new.len() >= 32, "{line}");
            token = Some(format!("::{new}::"));
        } else if token.as_deref() == Some(line) {
            token = None;
        } else if token.is_none() {
            let own = line.starts_with("::error file=fast.toml,");
            assert!(own, "{line}");
        }
    }
    assert_eq!(token, None);
}

#[test]
#[ignore = "needs git, bash and python3"]
fn a_budget_that_fails_is_in_the_comment_and_still_fails() {
    let job = Job::new();
    let manifest = "[[module]]\npath = \"lua/greet.lua\"\nbudget = {flash = 20}\n[[module]]\npath = \"lua/more.lua\"\n";
    put(&job.project, "lua/more.lua", "return 1");
    put(&job.project, "fast.toml", manifest);
    job.good("build", &[FLOAT]);
    let (report, table) = (job.output("report"), job.output("sizes"));
    let bench = (
        "BENCH",
        "--on host --variant lua51-float --budget 'flash=30'",
    );
    let of_it = [bench, ("REPORT", &report), ("SIZES", &table)];
    let said = job.bad(3, "measure", &of_it);
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with("::error"))
        .collect();
    assert_eq!(
        lines,
        [
            "::error file=fast.toml,line=1::over budget: lua51-float: all modules: flash 200, the budget is 30",
            "::error file=lua/greet.lua,line=1::over budget: lua51-float: greet: flash 124, the budget is 20",
        ]
    );
    assert!(said.contains("\ngreet"), "{said}");
    assert!(
        job.read("summary")
            .contains("**fastlua bench**: 2 figures are too high:")
    );
    let hosting = Hosting::new(&[], |_, _| None);
    let said = comment(&hosting, Path::new(&table), None);
    assert_eq!(said, "");
    let text = &hosting.comments()[0];
    assert!(text.contains("| `greet` | 124 |"), "{text}");
    assert!(
        text.contains("over budget: lua51-float: greet: flash 124, the budget is 20"),
        "{text}"
    );
    // what is within, and what can't be measured
    job.good("build", &[FLOAT]);
    let within = ("BENCH", "--on host --variant lua51-int --budget flash=90k");
    put(&job.project, "fast.toml", manifest.replace("20", "2000"));
    job.good("measure", &[within, of_it[1], of_it[2]]);
    let said = job.bad(
        2,
        "measure",
        &[("BENCH", "--on host --budget load=1"), of_it[1], of_it[2]],
    );
    assert!(said.contains("\n::error::the budget of load"), "{said}");
    let comment = fs::read_to_string(table).unwrap();
    assert!(comment.contains("**fastlua** failed:"), "{comment}");
}

/// Two uses of the action, in one job or in two, have files and comments of their own.
#[test]
#[ignore = "needs git, bash and python3"]
fn two_uses_have_comments_of_their_own() {
    let job = Job::new();
    put(
        &job.project,
        "sub/fast.toml",
        "[[module]]\npath = \"a.lua\"\n",
    );
    put(&job.project, "sub/a.lua", "return 1");
    let hosting = Hosting::new(&[], |_, _| None);
    let in_job = |name| [("GITHUB_WORKFLOW", "modules"), ("GITHUB_JOB", name)];
    let uses: [&[(&str, &str)]; 5] = [
        &[&in_job("one")[..], &[FLOAT]].concat(),
        &[&in_job("two")[..], &[FLOAT]].concat(),
        &[&in_job("one")[..], &[("OPTIONS", "--variant lua51-int")]].concat(),
        &[&in_job("one")[..], &[FLOAT, ("MANIFEST", "sub/fast.toml")]].concat(),
        &[&in_job("one")[..], &[FLOAT, ("ID", "mine")]].concat(),
    ];
    for round in 0..2 {
        let mut tables = Vec::new();
        for settings in uses {
            job.good("build", settings);
            tables.push(job.output("sizes"));
        }
        for table in &tables {
            assert_eq!(comment(&hosting, Path::new(table), None), "");
        }
        assert_eq!(hosting.comments().len(), uses.len(), "{round}");
    }
    let all = hosting.comments();
    assert!(
        all[3].contains("\n**fastlua**, `sub/fast.toml`: 1 chunk"),
        "{}",
        all[3]
    );
    assert!(
        all[4].contains("\n**fastlua**, `mine`: 1 chunk"),
        "{}",
        all[4]
    );
}

/// `action.yml` sets what the scripts read.
#[test]
fn the_action_gives_its_steps_what_they_ask_for() {
    let action = fs::read_to_string(root().join("action.yml")).unwrap();
    let script = fs::read_to_string(root().join("pipelines/action.py")).unwrap();
    let mut count = 0;
    for name in [
        "MANIFEST", "OUTPUT", "OPTIONS", "BENCH", "BASE", "ID", "REPORT", "SIZES",
    ] {
        assert!(script.contains(&format!("\"{name}\"")), "{name}");
        assert!(
            action.contains(&format!("\n        {name}: ${{{{ ")),
            "{name}"
        );
        count += 1;
    }
    assert_eq!(count, 8);
    let (_, comment) = action.split_once("- name: Comment").unwrap();
    assert!(comment.contains("if: ${{ !cancelled() && "), "{comment}");
}

#[test]
#[ignore = "needs git, bash and python3"]
fn the_whole_action_comments_whatever_fails() {
    let usual = ("version", "none");
    let float = ("options", "--variant 'lua51-float'");
    let job = Job::new();
    put(&job.project, "lua/more.lua", "return 1");
    let hosting = Hosting::new(&[], |request, _| {
        assert_eq!(request.token, "Bearer secret");
        None
    });
    // all is well
    let (good, said) = Runner::run(&job, &hosting, &[usual, float]);
    assert!(good, "{said}");
    assert!(hosting.comments()[0].contains("| `more` | 76 (new) |"));
    assert_eq!(job.read("summary").matches("| `more` |").count(), 1);
    // a budget fails: so does the job, and the comment says so
    let bench = ("bench", "--on host --variant lua51-float --budget flash=30");
    for _ in 0..2 {
        let (good, said) = Runner::run(&job, &hosting, &[usual, float, bench]);
        assert!(
            !good && said.contains("\n::error file=fast.toml,line=1::over budget"),
            "{said}"
        );
    }
    assert_eq!(hosting.comments().len(), 2);
    assert!(hosting.comments()[1].contains("1 figures are too high"));
    // no comment is asked for, or it is no pull request's
    let (good, _) = Runner::run(
        &job,
        &hosting,
        &[usual, float, ("comment", "false"), ("id", "x")],
    );
    assert!(good && hosting.comments().len() == 2);
    // the build fails
    put(&job.project, "lua/more.lua", "return return");
    let (good, said) = Runner::run(&job, &hosting, &[usual, float]);
    assert!(
        !good && said.contains("\n::error file=lua/more.lua,line=1"),
        "{said}"
    );
    assert_eq!(hosting.comments().len(), 2);
    assert!(hosting.comments()[0].contains("**fastlua** failed:"));
    // a fork
    put(&job.project, "lua/more.lua", "return 1");
    fs::remove_file(job.path("summary")).unwrap();
    let fork = Hosting::new(&[], |request, _| {
        let may = request.method == "GET";
        (!may)
            .then(|| answer(403, "", "Resource not accessible by integration"))
            .flatten()
    });
    let (good, said) = Runner::run(&job, &fork, &[usual, float]);
    assert!(
        good && said.contains("::warning::no comment was written"),
        "{said}"
    );
    assert_eq!(job.read("summary").matches("| `more` |").count(), 1);
}

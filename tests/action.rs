//! The action for GitHub: its steps, run as the runner runs them, against a stand-in for the hosting service.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::hosting::{Answer, COMMENTS, Hosting, Request};
use support::parts::{example, with_fastlua};
use support::{put, root, run, succeed};
use tempfile::TempDir;

/// A project that is a repository of its own, with its one commit, and folders for a runner.
struct Job {
    folder: TempDir,
    project: PathBuf,
    base: String,
}

impl Job {
    fn new() -> Job {
        let (folder, project) = example("github");
        let git = |arguments: &str| {
            let mut git = Command::new("git");
            git.args(["-c", "user.name=a", "-c", "user.email=a@example.org"]);
            succeed(git.args(arguments.split(' ')).current_dir(&project))
        };
        git("init -q -b main .");
        git("add .");
        git("commit -q -m one");
        git(&format!("remote add origin file://{}", project.display()));
        git("config uploadpack.allowAnySHA1InWant true");
        let base = git("rev-parse HEAD").trim().to_owned();
        fs::create_dir(folder.path().join("temp")).unwrap();
        Job {
            folder,
            project,
            base,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// A step, with its environment; files that the runner reads are new for it.
    fn step(&self, step: &str, settings: &[(&str, &str)]) -> Output {
        for name in ["output", "summary"] {
            let _ = fs::remove_file(self.path(name));
        }
        let mut bash = with_fastlua("bash", &self.project);
        bash.arg(self.path("pipelines/action.sh")).arg(step);
        bash.env("MANIFEST", "fast.toml").env("OUTPUT", "out");
        bash.env("RUNNER_TEMP", self.path("temp"));
        bash.env("GITHUB_OUTPUT", self.path("output"));
        bash.env("GITHUB_STEP_SUMMARY", self.path("summary"));
        bash.env_remove("GITHUB_JOB").env_remove("GITHUB_WORKFLOW");
        run(bash.envs(settings.iter().copied()))
    }

    /// A step that has to succeed.
    fn good(&self, step: &str, settings: &[(&str, &str)]) -> String {
        let output = self.step(step, settings);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// One that has to fail with this status.
    fn bad(&self, status: i32, step: &str, settings: &[(&str, &str)]) -> String {
        let output = self.step(step, settings);
        assert_eq!(output.status.code(), Some(status), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// An output of the last step.
    fn output(&self, name: &str) -> String {
        let text = self.read("output");
        let start = format!("{name}=");
        let found = text.lines().find_map(|line| line.strip_prefix(&start));
        found.unwrap_or_else(|| panic!("{name}: {text}")).to_owned()
    }
}

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
        ("--variant `touch ran`", "fast.toml stands alone"),
        ("--variant lua51-float; touch ran", "fast.toml stands alone"),
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

/// What a stranger's modules have the build print is no command for the runner.
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
        1,
        "measure",
        &[("BENCH", "--on host --budget load=1"), of_it[1], of_it[2]],
    );
    assert!(said.contains("\n::error::a budget of load"), "{said}");
    let comment = fs::read_to_string(table).unwrap();
    assert!(comment.contains("**fastlua** failed:"), "{comment}");
}

/// Comments on a pull request; what is printed.
fn comment(hosting: &Hosting, file: &Path, summary: Option<&Path>) -> String {
    let mut comment = Command::new("sh");
    comment.arg(root().join("pipelines/comment.sh"));
    comment.args(["a/b", "7"]).arg(file);
    comment.env("GITHUB_API_URL", &hosting.address);
    comment.env("GH_TOKEN", "secret").env("PAUSE", "0");
    comment
        .env_remove("GITHUB_STEP_SUMMARY")
        .env("no_proxy", "*");
    if let Some(path) = summary {
        comment.env("GITHUB_STEP_SUMMARY", path);
    }
    let said = succeed(&mut comment);
    assert!(!said.contains("secret"), "{said}");
    said
}

/// Writes this text with `comment.sh`: what it printed, and what it put into the summary.
fn write(hosting: &Hosting, text: &str) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let summary = folder.path().join("summary");
    let said = comment(hosting, &put(folder.path(), "text", text), Some(&summary));
    (said, fs::read_to_string(summary).unwrap_or_default())
}

fn answer(status: u16, headers: &str, message: &str) -> Option<Answer> {
    Some((
        status,
        headers.into(),
        format!("{{\"message\": \"{message}\"}}"),
    ))
}

const TEXT: &str = "<!-- fastlua sizes abc -->\nnow\n";

#[test]
#[ignore = "needs python3"]
fn a_comment_is_found_again_on_any_page() {
    let others = [
        "one",
        "<!-- fastlua sizes -->\nother",
        "<!-- fastlua sizes abcd -->\nother",
    ];
    let hosting = Hosting::new(&others, |request, _| {
        assert_eq!(request.token, "Bearer secret");
        None
    });
    assert_eq!(write(&hosting, TEXT), (String::new(), String::new()));
    assert_eq!(hosting.comments()[3], TEXT);
    let asked = hosting.asked();
    assert_eq!(asked[0], format!("GET {COMMENTS}?per_page=100"));
    assert_eq!(asked[2], format!("POST {COMMENTS}"));
    // another run changes it, and no other
    let later = TEXT.replace("now", "later \u{fc}\"%0A");
    assert_eq!(write(&hosting, &later), (String::new(), String::new()));
    assert_eq!(
        hosting.asked().last().unwrap(),
        "PATCH /repos/a/b/issues/comments/4"
    );
    assert_eq!(hosting.comments()[..3], others);
    assert_eq!(hosting.comments()[3..], [later]);
    // the service may have changed the ends of lines
    let ends = TEXT.replace('\n', "\r\n");
    let hosting = Hosting::new(&[&ends], |_, _| None);
    write(&hosting, TEXT);
    assert_eq!(hosting.comments(), [TEXT]);
}

#[test]
#[ignore = "needs python3"]
fn a_comment_that_may_not_be_written_is_a_warning() {
    for (status, headers, message) in [
        (403, "", "Resource not accessible by integration"),
        (401, "", "Bad credentials"),
        (404, "", "Not Found"),
        (422, "", "Validation Failed 100%"),
        (410, "", "Gone"),
        (500, "", "Server Error"),
        (502, "", "Bad Gateway"),
        (503, "", "Unavailable"),
        (429, "", "Too many"),
        (429, "Retry-After: 3600\r\n", "Too many"),
        (
            403,
            "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 99999999999\r\n",
            "API rate limit exceeded",
        ),
        (403, "", "You have exceeded a secondary rate limit"),
    ] {
        let writes = move |r: &Request, _| {
            (r.method != "GET")
                .then(|| answer(status, headers, message))
                .flatten()
        };
        let all = move |_: &Request, _| answer(status, headers, message);
        for hosting in [
            Hosting::new(&[], writes),
            Hosting::new(&[TEXT], writes),
            Hosting::new(&[], all),
        ] {
            let before = hosting.comments();
            let (said, summary) = write(&hosting, TEXT);
            let start = "::warning::no comment was written, the sizes are in the job's summary: ";
            assert!(
                said.starts_with(start) && said.lines().count() == 1,
                "{said}"
            );
            assert!(
                said.contains(&format!("{status} {}", message.replace('%', "%25"))),
                "{said}"
            );
            assert_eq!(summary, TEXT, "{status}");
            assert_eq!(hosting.comments(), before, "{status}");
            let tries = hosting.asked().len();
            assert!(tries <= 8, "{status}: {tries}");
        }
    }
    let hosting = Hosting::new(&[], |_, _| {
        answer(403, "", "Resource not accessible by integration")
    });
    let (said, _) = write(&hosting, TEXT);
    assert!(
        said.contains("from forks (permission pull-requests: write)"),
        "{said}"
    );
}

#[test]
#[ignore = "needs python3"]
fn faults_that_pass_are_tried_again() {
    for (status, headers) in [
        (500, ""),
        (503, ""),
        (408, ""),
        (429, "Retry-After: 0\r\n"),
        (403, "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1\r\n"),
    ] {
        for at in [0, 1] {
            let once =
                move |_: &Request, n| (n == at).then(|| answer(status, headers, "wait")).flatten();
            let hosting = Hosting::new(&[], once);
            assert_eq!(
                write(&hosting, TEXT),
                (String::new(), String::new()),
                "{status}"
            );
            assert_eq!(hosting.comments(), [TEXT], "{status}");
        }
    }
    // written, though the answer is an error: not written twice
    let hosting = Hosting::new(&[], |_, _| None);
    let state = std::sync::Arc::clone(&hosting.state);
    let lost = Hosting::new(&[], move |request, _| {
        if request.method == "POST" {
            state.lock().unwrap().comments.push((1, TEXT.into()));
            return answer(502, "", "lost");
        }
        let shown = state.lock().unwrap().comments.clone();
        let shown: Vec<_> = shown
            .iter()
            .map(|(id, body)| serde_json::json!({"id": id, "body": body}))
            .collect();
        Some((200, String::new(), serde_json::json!(shown).to_string()))
    });
    assert_eq!(write(&lost, TEXT).0, "");
    assert_eq!(hosting.comments().len(), 1);
}

#[test]
#[ignore = "needs python3"]
fn a_comment_of_somebody_else_is_left_alone() {
    for status in [403, 404] {
        let patch = move |r: &Request, _| {
            (r.path.ends_with("/1"))
                .then(|| answer(status, "", "not yours"))
                .flatten()
        };
        let hosting = Hosting::new(&[TEXT], patch);
        for text in [
            "<!-- fastlua sizes abc -->\nthen",
            "<!-- fastlua sizes abc -->\nlater",
        ] {
            assert_eq!(write(&hosting, text).0, "");
            assert_eq!(hosting.comments(), [TEXT, text]);
        }
    }
}

#[test]
#[ignore = "needs python3"]
fn answers_that_are_no_answers_and_long_texts() {
    for content in [
        "",
        "no JSON",
        "{\"a\": 1}",
        "[1, 2]",
        "[{\"id\": 3, \"body\": null}]",
    ] {
        let odd = move |r: &Request, _| {
            (r.method == "GET").then(|| (200, String::new(), content.to_owned()))
        };
        let hosting = Hosting::new(&[], odd);
        let (said, _) = write(&hosting, TEXT);
        assert!(
            said.is_empty() || said.starts_with("::warning::no comment was written"),
            "{said}"
        );
    }
    // the token goes to no other place
    let elsewhere = Hosting::new(&[], |_, _| None);
    let link = format!("Link: <{}/page>; rel=\"next\"\r\n", elsewhere.address);
    let hosting = Hosting::new(&[], move |r: &Request, _| {
        (r.method == "GET").then(|| (200, link.clone(), "[]".to_owned()))
    });
    write(&hosting, TEXT);
    assert!(elsewhere.asked().is_empty());
    let moved = format!("Location: {}/page\r\n", elsewhere.address);
    let hosting = Hosting::new(&[], move |_, _| Some((302, moved.clone(), String::new())));
    write(&hosting, TEXT);
    let asked = &elsewhere.state.lock().unwrap().asked;
    assert!(asked.iter().all(|request| request.token.is_empty()));

    let hosting = Hosting::new(&[], |_, _| None);
    let long = format!("{TEXT}{}", "one more line\n".repeat(10_000));
    write(&hosting, &long);
    let text = &hosting.comments()[0];
    assert!(
        text.len() < 65_536 && text.ends_with("line\n\nThe rest is in the job's summary."),
        "{}",
        text.len()
    );
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
        all[3].contains("\n**fastlua**, `sub/fast.toml`: 1 chunks"),
        "{}",
        all[3]
    );
    assert!(
        all[4].contains("\n**fastlua**, `mine`: 1 chunks"),
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

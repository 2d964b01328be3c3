//! A job of the hosting service, as a runner runs the action in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use super::hosting::Hosting;
use super::parts::{example, with_fastlua};
use super::{root, run, succeed};

/// A project that is a repository of its own, with its one commit, and folders for a runner.
pub struct Job {
    pub folder: TempDir,
    pub project: PathBuf,
    pub base: String,
}

impl Job {
    pub fn new() -> Job {
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

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// A step, with its environment; files that the runner reads are new for it.
    pub fn step(&self, step: &str, settings: &[(&str, &str)]) -> Output {
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
    pub fn good(&self, step: &str, settings: &[(&str, &str)]) -> String {
        let output = self.step(step, settings);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// One that has to fail with this status.
    pub fn bad(&self, status: i32, step: &str, settings: &[(&str, &str)]) -> String {
        let output = self.step(step, settings);
        assert_eq!(output.status.code(), Some(status), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// An output of the last step.
    pub fn output(&self, name: &str) -> String {
        let text = self.read("output");
        let start = format!("{name}=");
        let found = text.lines().find_map(|line| line.strip_prefix(&start));
        found.unwrap_or_else(|| panic!("{name}: {text}")).to_owned()
    }
}

/// The steps of `action.yml`, with what they are given, as a runner has them.
pub struct Runner<'a> {
    job: &'a Job,
    hosting: &'a Hosting,
    values: BTreeMap<String, String>,
}

impl Runner<'_> {
    /// Runs the action with these inputs: whether it succeeds, and what it printed.
    pub fn run(job: &Job, hosting: &Hosting, inputs: &[(&str, &str)]) -> (bool, String) {
        let text = fs::read_to_string(root().join("action.yml")).unwrap();
        let (head, steps) = text.split_once("  steps:\n").unwrap();
        let mut runner = Runner {
            job,
            hosting,
            values: BTreeMap::new(),
        };
        let mut set = |key: &str, value: &str| runner.values.insert(key.into(), value.into());
        set("github.token", "secret");
        set("github.repository", "a/b");
        set("github.action_path", job.folder.path().to_str().unwrap());
        set("github.event.pull_request.number", "7");
        set("github.event.pull_request.base.sha", &job.base);
        let (_, all) = head.split_once("inputs:").unwrap();
        for input in all.split("\n  ").filter(|line| !line.starts_with(' ')) {
            let name = input.split(':').next().unwrap().trim();
            let default = all
                .split(&format!("  {name}:\n"))
                .nth(1)
                .unwrap_or_default();
            let default = default.split("default: ").nth(1).unwrap_or_default();
            let default = default.lines().next().unwrap_or_default().trim_matches('"');
            runner
                .values
                .insert(format!("inputs.{name}"), default.into());
        }
        for (name, value) in inputs {
            let old = runner
                .values
                .insert(format!("inputs.{name}"), (*value).into());
            assert!(old.is_some(), "{name}");
        }
        let (mut good, mut printed) = (true, String::new());
        for step in steps.split("    - name: ").skip(1) {
            let condition = step
                .lines()
                .find_map(|line| line.strip_prefix("      if: "));
            let (holds, always) = runner.holds(condition.unwrap_or_default());
            if holds && (good || always) {
                let output = runner.step(step);
                good &= output.status.success();
                printed += &String::from_utf8_lossy(&output.stdout);
            }
        }
        (good, printed)
    }

    /// Whether a condition holds, and whether it does so after a failure, too.
    fn holds(&self, condition: &str) -> (bool, bool) {
        let inner = condition.trim_start_matches("${{ ").trim_end_matches(" }}");
        let terms: Vec<&str> = inner
            .split(" && ")
            .filter(|term| !term.is_empty())
            .collect();
        let holds = |term: &&str| match (term.split_once(" == "), term.split_once(" != ")) {
            _ if **term == *"!cancelled()" => true,
            (Some((name, value)), _) => self.value(name) == value.trim_matches('\''),
            (_, Some((name, value))) => self.value(name) != value.trim_matches('\''),
            _ => !self.value(term).is_empty(),
        };
        (terms.iter().all(holds), terms.contains(&"!cancelled()"))
    }

    fn value(&self, name: &str) -> String {
        let value = self.values.get(name).cloned().unwrap_or_default();
        match value.strip_prefix("${{ ") {
            Some(inner) => self.value(inner.trim_end_matches(" }}")),
            None => value,
        }
    }

    fn step(&mut self, step: &str) -> Output {
        let (_, line) = step.split_once("      run: ").unwrap();
        let output = self.job.path("output");
        let _ = fs::remove_file(&output);
        let mut bash = with_fastlua("bash", &self.job.project);
        bash.args(["-e", "-o", "pipefail", "-c", line]);
        for setting in step
            .lines()
            .filter_map(|line| line.strip_prefix("        "))
        {
            let Some((name, value)) = setting.split_once(": ") else {
                continue;
            };
            let known = value
                .strip_prefix("${{ ")
                .map(|inner| self.value(inner.trim_end_matches(" }}")));
            bash.env(
                name,
                known.unwrap_or_else(|| value.trim_matches('"').into()),
            );
        }
        bash.env("RUNNER_TEMP", self.job.path("temp"));
        bash.env("GITHUB_OUTPUT", &output);
        bash.env("GITHUB_STEP_SUMMARY", self.job.path("summary"));
        bash.env("GITHUB_WORKFLOW", "modules")
            .env("GITHUB_JOB", "build");
        bash.env("GITHUB_API_URL", &self.hosting.address);
        bash.env("PAUSE", "0").env("no_proxy", "*");
        let done = run(&mut bash);
        if step.contains("      id: build\n") {
            for line in fs::read_to_string(output).unwrap_or_default().lines() {
                let (name, value) = line.split_once('=').unwrap();
                self.values
                    .insert(format!("steps.build.outputs.{name}"), value.into());
            }
        }
        done
    }
}

/// Comments on a pull request; what is printed.
pub fn comment(hosting: &Hosting, file: &Path, summary: Option<&Path>) -> String {
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

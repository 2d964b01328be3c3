//! fastlua in other people's builds: the parts of `pipelines/` and the examples that use them, run by the build systems
//! themselves as far as that goes without ESP-IDF, PlatformIO and GitHub.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use fastlua_bytecode::NumberModel;
use support::parts::{example, with_fastlua};
use support::{firmware_flags, packed_lua, put, root, run, stock_lua, succeed};
use tempfile::TempDir;

fn linter(arguments: &[&str]) -> String {
    let mut linter = Command::new(root().join("scripts/linter"));
    succeed(linter.args(arguments).current_dir(root()))
}

/// What of ESP-IDF and of NodeMCU the component calls: its files become a library.
const IDF: &str = r#"
function(idf_build_get_property variable name)
  set(${variable} "${CMAKE_SOURCE_DIR}" PARENT_SCOPE)
endfunction()
macro(idf_component_register)
  cmake_parse_arguments(given "" "" "SRCS;PRIV_REQUIRES" ${ARGN})
  set(COMPONENT_LIB component)
  add_library(component STATIC ${given_SRCS})
  target_include_directories(component PRIVATE "${STOCK}")
  target_compile_options(component PRIVATE ${MODEL} -include numbers.h)
endmacro()
function(extmod_register_conditional name)
  file(WRITE "${CMAKE_BINARY_DIR}/registered" "${name}")
endfunction()
"#;

/// The component's library is linked into stock Lua, which then calls the module of the example.
#[test]
#[ignore = "needs cmake and ninja"]
fn the_component_for_esp_idf_is_built_and_runs() {
    let (folder, project) = example("esp-idf");
    let stock = folder.path().join("stock");
    let model = NumberModel::ALL
        .into_iter()
        .find(|m| m.name() == "53-int64-float64");
    let model = model.unwrap();
    packed_lua(&stock, model.dialect);
    let top = fs::read_to_string(project.join("CMakeLists.txt")).unwrap();
    assert!(top.contains("pipelines/esp-idf/fastlua"), "{top}");
    let flags: Vec<&str> = firmware_flags(&model).to_vec();
    let flags = format!("{};{}", model.flags().join(";"), flags.join(";"));
    put(
        &project,
        "CMakeLists.txt",
        format!(
            "cmake_minimum_required(VERSION 3.20)\nproject(modules C)\nset(STOCK \"{}\")\nset(MODEL \"{flags}\")\n\
             set(CONFIG_NODEMCU_CMODULE_FAST y)\nset(CONFIG_FASTLUA_MANIFEST fast.toml)\n\
             set(CONFIG_FASTLUA_OPTIONS \"--strip 1\")\n{IDF}\
             add_subdirectory(../../pipelines/esp-idf/fastlua component)\n\
             add_executable(host \"{}\")\ntarget_include_directories(host PRIVATE \"{}\")\n\
             target_compile_options(host PRIVATE ${{MODEL}} -include numbers.h)\ntarget_link_libraries(host component m)\n",
            stock.display(),
            stock.join("host.c").display(),
            stock.display(),
        ),
    );
    // as the project's configuration leaves it, but for a Lua that runs on this PC
    put(
        &project,
        "sdkconfig",
        "CONFIG_LUA_VERSION_53=y\nCONFIG_LUA_NUMBER_INT64=y\nCONFIG_LUA_NUMBER_DOUBLE=y\n",
    );
    put(&project, "say.lua", "print(fast.greet('chip'))");
    for generator in ["Ninja", "Unix Makefiles"] {
        let build = format!("build {generator}");
        succeed(with_fastlua("cmake", &project).args(["-G", generator, "-B", &build]));
        let make = || succeed(with_fastlua("cmake", &project).args(["--build", &build, "-v"]));
        let say = || {
            let host = project.join(&build).join("host");
            succeed(Command::new(host).arg("say.lua").current_dir(&project))
        };
        make();
        assert_eq!(
            fs::read_to_string(project.join(&build).join("registered")).unwrap(),
            "FAST"
        );
        let header = project.join(&build).join("component/fastlua/fast_chunks.h");
        let text = fs::read_to_string(&header).unwrap();
        assert!(text.contains("lua53-int64-float64") && !text.contains("lua51-float"));
        assert_eq!(say(), "Hello, chip!\n", "{generator}");
        let again = make();
        assert!(!again.contains("fastlua build"), "{generator}: {again}");
        for name in ["fast.c", "fast_chunks.h", "fast.stamp"] {
            let file = header.with_file_name(name);
            fs::remove_file(&file).unwrap();
            assert!(make().contains("fastlua build"), "{generator}: {name}");
            assert!(file.exists(), "{generator}: {name}");
        }
        // a changed module, and one more that the glob finds
        let greet = fs::read_to_string(project.join("lua/greet.lua")).unwrap();
        put(
            &project,
            "lua/greet.lua",
            greet.replace("Hello", "Good day"),
        );
        put(&project, "lua/more.lua", "return 1");
        assert!(make().contains("fastlua build"), "{generator}");
        assert_eq!(say(), "Good day, chip!\n", "{generator}");
        assert!(fs::read_to_string(&header).unwrap().contains("more"));
        put(&project, "lua/greet.lua", greet);
        fs::remove_file(project.join("lua/more.lua")).unwrap();
        make();
        assert!(!fs::read_to_string(&header).unwrap().contains("more"));
        let top = fs::read_to_string(project.join("CMakeLists.txt")).unwrap();
        put(
            &project,
            "CMakeLists.txt",
            top.replace("--strip 1", "--strip 0"),
        );
        make();
        assert!(
            fs::read_to_string(&header).unwrap().contains("strip 0"),
            "{generator}"
        );
        put(&project, "CMakeLists.txt", top);
    }
}

#[test]
#[ignore = "needs kconfiglib, from PyPI"]
fn the_kconfig_is_one_and_has_what_the_component_asks_for() {
    let component = root().join("pipelines/esp-idf/fastlua");
    let known = linter(&["kconfig", component.join("Kconfig").to_str().unwrap()]);
    let names = known.lines().filter_map(|line| line.split(' ').next());
    let names: Vec<&str> = names.collect();
    let asked = fs::read_to_string(component.join("CMakeLists.txt")).unwrap();
    let asked = asked.split("CONFIG_").skip(1);
    let asked = asked.filter_map(|text| {
        text.split(|c: char| !c.is_ascii_uppercase() && c != '_')
            .next()
    });
    let mut count = 0;
    for name in asked {
        assert!(names.contains(&name), "{name}: {known}");
        count += 1;
    }
    assert!(count >= 4);
    assert!(known.contains("FASTLUA_MANIFEST 'fast.toml'"), "{known}");
}

/// SCons is what PlatformIO is made of. Its environment has two methods of PlatformIO's here.
#[test]
#[ignore = "needs scons and a C compiler"]
fn the_script_for_platformio_builds_the_modules() {
    let (folder, project) = example("platformio");
    let model = NumberModel::ALL
        .into_iter()
        .find(|m| m.name() == "51-float")
        .unwrap();
    let stock = folder.path().join("stock");
    stock_lua(&stock, model.dialect);
    let ini = fs::read_to_string(project.join("platformio.ini")).unwrap();
    assert!(
        ini.contains("extra_scripts = pre:../../pipelines/platformio.py"),
        "{ini}"
    );
    let flags: Vec<String> = model
        .flags()
        .iter()
        .map(|flag| format!("'{flag}'"))
        .collect();
    put(
        &project,
        "SConstruct",
        format!(
            r#"import configparser, os
ini = configparser.ConfigParser()
ini.read('platformio.ini')
env = Environment(ENV=os.environ, PROJECT_DIR=os.getcwd(), BUILD_DIR=os.path.join(os.getcwd(), 'out'),
    CCFLAGS=['-std=gnu11', {}, '-include', 'numbers.h'], CPPPATH=['{}'])
def option(env, name, default): return ini.get('env:board', name, fallback=default)
def sources(env, variant, folder):
    Default(env.StaticLibrary('modules', env.Glob(os.path.join(folder, '*.c'))))
env.AddMethod(option, 'GetProjectOption')
env.AddMethod(sources, 'BuildSources')
Export('env')
SConscript('../../pipelines/platformio.py')
"#,
            flags.join(", "),
            stock.display()
        ),
    );
    let scons = || succeed(&mut with_fastlua("scons", &project));
    assert!(scons().contains("out/fastlua/fast.o"));
    let out = project.join("out/fastlua/fast_chunks.h");
    assert!(fs::read_to_string(&out).unwrap().contains("greet"));
    assert!(scons().contains("is up to date"));
    put(&project, "lua/greet.lua", "return 'other'");
    assert!(scons().contains("out/fastlua/fast.o"));
    for name in ["fast.c", "fast_chunks.h"] {
        fs::remove_file(project.join("out/fastlua").join(name)).unwrap();
        scons();
        assert!(project.join("out/fastlua").join(name).exists(), "{name}");
    }
    // options that make other files: nothing of the ones before is left to be compiled
    put(&project, "lua/more.lua", "return 1");
    let options = "custom_fastlua_options = ";
    put(
        &project,
        "platformio.ini",
        ini.replace(options, &format!("{options}--strip 0 ")),
    );
    scons();
    let text = fs::read_to_string(&out).unwrap();
    assert!(text.contains("strip 0") && text.contains("more"));
    put(
        &project,
        "platformio.ini",
        ini.replace(options, &format!("{options}--emit header ")),
    );
    assert!(scons().contains("fast_runtime.o"));
    let made = || {
        let names = fs::read_dir(project.join("out/fastlua")).unwrap();
        names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect::<Vec<_>>()
    };
    let names = made();
    assert!(
        names.contains(&"greet_lua.h".into()) && !names.contains(&"fast.c".into()),
        "{names:?}"
    );
    put(&project, "platformio.ini", ini);
    fs::remove_file(project.join("lua/more.lua")).unwrap();
    scons();
    let names = made();
    assert!(
        names.contains(&"fast.c".into()) && !names.contains(&"fast_runtime.c".into()),
        "{names:?}"
    );
    assert!(!fs::read_to_string(&out).unwrap().contains("more"));
    put(&project, "lua/greet.lua", "return return");
    let output = run(&mut with_fastlua("scons", &project));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains("greet.lua:1:"),
        "{said}"
    );
    let output = run(with_fastlua("scons", &project).env("FASTLUA", "no-fastlua"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("no-fastlua is not installed"), "{said}");
}

/// A cache that build systems share knows inputs and outputs only, as SCons's: what one folder built, another is given.
#[test]
#[ignore = "needs scons"]
fn a_build_system_s_cache_needs_inputs_and_outputs_only() {
    let cache = tempfile::tempdir().unwrap();
    let sconstruct = format!(
        "import os\nenv = Environment(ENV=os.environ)\nCacheDir('{}')\n\
         env.Command(['out/fast.c', 'out/fast_chunks.h'], ['fast.toml'] + Glob('lua/*.lua'),\n    \
         'fastlua build fast.toml -o out --quiet')\n",
        cache.path().display()
    );
    let project = || {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "SConstruct", &sconstruct);
        put(
            folder.path(),
            "fast.toml",
            "[[module]]\npath = \"lua/*.lua\"\n",
        );
        put(folder.path(), "lua/greet.lua", "return 'hello'");
        folder
    };
    let scons = |folder: &TempDir| succeed(&mut with_fastlua("scons", folder.path()));
    let header = |folder: &TempDir| fs::read(folder.path().join("out/fast_chunks.h")).unwrap();
    let (one, other) = (project(), project());
    assert!(scons(&one).contains("\nfastlua build"));
    let said = scons(&other);
    assert!(
        said.contains("Retrieved `out/fast_chunks.h' from cache"),
        "{said}"
    );
    assert!(!said.contains("\nfastlua build"), "{said}");
    assert_eq!(header(&one), header(&other));
    put(other.path(), "lua/greet.lua", "return 'other'");
    assert!(scons(&other).contains("\nfastlua build"));
    assert_ne!(header(&one), header(&other));
}

/// A tree for the ESP8266 whose make says when it links.
fn tree(folder: &Path) {
    put(folder, "app/include/user_config.h", "");
    put(
        folder,
        "app/include/user_modules.h",
        "#define LUA_USE_MODULES_FILE\n",
    );
    put(folder, "app/modules/file.c", "");
    put(
        folder,
        "Makefile",
        "image: app/modules/fast.c app/modules/fast_chunks.h\n\t@echo linked; touch image\n",
    );
}

/// Its user_modules.h.
fn enabled(tree: &Path) -> String {
    fs::read_to_string(tree.join("app/include/user_modules.h")).unwrap()
}

#[test]
#[ignore = "needs make"]
fn the_makefile_for_nodemcu_builds_what_changed() {
    let (_folder, project) = example("nodemcu");
    let tree_of_it = project.join("nodemcu-firmware");
    tree(&tree_of_it);
    let make = |more: &[&str]| {
        let said = succeed(with_fastlua("make", &project).arg("firmware").args(more));
        (said.contains("fastlua build"), said.contains("linked"))
    };
    let header = || fs::read_to_string(tree_of_it.join("app/modules/fast_chunks.h")).unwrap();
    assert_eq!(make(&[]), (true, true));
    assert!(header().contains("lua51-float"));
    let both = "#define LUA_USE_MODULES_FILE\n#define LUA_USE_MODULES_FAST\n";
    assert_eq!(enabled(&tree_of_it), both);
    assert_eq!(make(&[]), (false, false));
    put(&project, "lua/more.lua", "return 1");
    assert_eq!(make(&["-j8"]), (true, true));
    assert!(header().contains("more"));
    fs::remove_file(project.join("lua/more.lua")).unwrap();
    assert_eq!(make(&[]), (true, true));
    assert!(!header().contains("more"));
    assert_eq!(make(&["FAST_OPTIONS=--strip 0"]), (true, true));
    assert!(header().contains("strip 0"));
    assert_eq!(make(&[]), (true, true));
    assert!(!header().contains("strip 0"));
    assert_eq!(make(&[]), (false, false));
    assert_eq!(enabled(&tree_of_it), both);
}

#[test]
#[ignore = "needs make"]
fn the_makefile_for_nodemcu_makes_again_what_is_gone() {
    let (_folder, project) = example("nodemcu");
    let tree_of_it = project.join("nodemcu-firmware");
    tree(&tree_of_it);
    let modules = tree_of_it.join("app/modules");
    let bill = project.join("bill.json");
    for (options, names) in [
        (
            "--sbom bill.json",
            ["fast.c", "fast_chunks.h", "../../../bill.json"],
        ),
        (
            "--emit object",
            ["fast.c", "fast_chunks.h", "fast_chunks.o"],
        ),
        (
            "--emit header",
            ["greet_lua.h", "fast_runtime.c", "fast_runtime.h"],
        ),
    ] {
        let options = format!("FAST_OPTIONS={options}");
        let make = || succeed(with_fastlua("make", &project).args(["fast", &options]));
        make();
        let all: Vec<Vec<u8>> = names
            .iter()
            .map(|name| fs::read(modules.join(name)).unwrap())
            .collect();
        for (name, bytes) in names.iter().zip(&all) {
            fs::remove_file(modules.join(name)).unwrap();
            assert!(make().contains("fastlua build"), "{name}");
            assert_eq!(&fs::read(modules.join(name)).unwrap(), bytes, "{name}");
        }
        assert!(!make().contains("fastlua build"), "{options}");
    }
    assert!(bill.exists());
    // as git clean -fdx leaves the tree
    fs::remove_dir_all(&tree_of_it).unwrap();
    tree(&tree_of_it);
    let said = succeed(with_fastlua("make", &project).arg("firmware"));
    assert!(said.contains("linked"), "{said}");
    assert!(enabled(&tree_of_it).contains("MODULES_FAST"));
}

#[test]
#[ignore = "needs make"]
fn the_makefile_for_nodemcu_takes_any_tree_of_the_esp8266() {
    let (_folder, project) = example("nodemcu");
    let odd = project.join("it's a $tree");
    let make = |tree: &str| {
        run(with_fastlua("make", &project)
            .arg("firmware")
            .arg(format!("FIRMWARE={tree}")))
    };
    tree(&odd);
    // another name, and no line break at the end; then the same with blanks
    let header = "app/include/user_modules.h";
    put(
        &odd,
        header,
        "//#define LUA_USE_MODULES_FAST\n#define LUA_USE_MODULES_FASTER",
    );
    let output = make("it's a $$tree");
    assert!(output.status.success(), "{output:?}");
    assert!(
        enabled(&odd).ends_with("_FASTER\n#define LUA_USE_MODULES_FAST\n"),
        "{}",
        enabled(&odd)
    );
    put(&odd, header, "  #  define  LUA_USE_MODULES_FAST 1\r\n");
    assert!(make("it's a $$tree").status.success());
    assert_eq!(enabled(&odd), "  #  define  LUA_USE_MODULES_FAST 1\r\n");
    // what is none, and modules with a fault
    let output = make("elsewhere");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains("no elsewhere/app/include"),
        "{said}"
    );
    assert!(!project.join("elsewhere").exists());
    put(&project, "lua/greet.lua", "return return");
    let output = make("it's a $$tree");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains("greet.lua:1:"),
        "{said}"
    );
}

#[test]
#[ignore = "needs python3 with venv"]
fn linters_find_nothing_in_workflows_and_the_dockerfile() {
    let mut workflows = Vec::new();
    for folder in [".github/workflows", "examples/github/.github/workflows"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            workflows.push(format!("{folder}/{name}"));
        }
    }
    assert!(workflows.len() >= 3);
    let names: Vec<&str> = workflows.iter().map(String::as_str).collect();
    linter(&[&["actionlint"][..], &names].concat());
    let zizmor = [
        "zizmor",
        "--offline",
        "--quiet",
        "--min-severity",
        "medium",
        "--config",
        ".github/zizmor.yml",
        "action.yml",
    ];
    linter(&[&zizmor[..], &names].concat());
    linter(&["hadolint", "pipelines/Dockerfile"]);
    // and they do find what is wrong
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(root().join(&workflows[0])).unwrap();
    let wrong = put(
        folder.path(),
        "wrong.yml",
        text.replace("runs-on: ", "run-on: "),
    );
    let output = run(Command::new(root().join("scripts/linter"))
        .arg("actionlint")
        .arg(wrong));
    assert!(!output.status.success() && !output.stdout.is_empty());
}

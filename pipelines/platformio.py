"""An extra script for PlatformIO: has fastlua write fast.c and fast_chunks.h, and builds them with the project.

In platformio.ini:

    extra_scripts = pre:platformio.py
    custom_fastlua_manifest = fast.toml
    custom_fastlua_options = --variant lua51-float

Files in which nothing changed stay as they are, so that nothing is compiled again.
"""

import json
import os
import shlex
import subprocess
import sys

Import("env")  # noqa: F821 (PlatformIO gives it)

project = env.subst("$PROJECT_DIR")  # noqa: F821
folder = os.path.join(env.subst("$BUILD_DIR"), "fastlua")  # noqa: F821
manifest = env.GetProjectOption("custom_fastlua_manifest", "fast.toml")  # noqa: F821
options = shlex.split(env.GetProjectOption("custom_fastlua_options", ""))  # noqa: F821
command = os.environ.get("FASTLUA", "fastlua")

os.makedirs(folder, exist_ok=True)
call = [command, "build", os.path.join(project, manifest), "-o", folder, "--quiet", "--json", *options]
try:
    made = subprocess.run(call, cwd=project, check=False, stdout=subprocess.PIPE)
except FileNotFoundError:
    sys.exit(f"{command} is not installed: `pip install fastlua`, or set FASTLUA to the command")
if made.returncode != 0:
    sys.exit(f"fastlua ended with status {made.returncode}")

# Files from other options would be compiled too.
outputs = {os.path.basename(output["path"]) for output in json.loads(made.stdout)["outputs"]}
for name in os.listdir(folder):
    if name.endswith((".c", ".h", ".o")) and name not in outputs:
        os.remove(os.path.join(folder, name))

# With --emit object: the files to link directly.
objects = [os.path.join(folder, name) for name in sorted(outputs) if name.endswith(".o")]
env.Append(LINKFLAGS=objects)  # noqa: F821
env.BuildSources(os.path.join("$BUILD_DIR", "fastlua-objects"), folder)  # noqa: F821

